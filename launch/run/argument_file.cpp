#include "launch/run/argument_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/base/error.h"
#include "core/base/host_copy.h"
#include "core/io/json.h"

namespace ty {

namespace {

template <typename T>
std::vector<std::int64_t> widen(std::span<const std::byte> bytes) {
  std::vector<std::int64_t> values(bytes.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<std::int64_t>(value);
  }
  return values;
}

struct IntegerType {
  std::string_view name;  // as safetensors spells it
  std::vector<std::int64_t> (*read)(std::span<const std::byte> bytes);
};
constexpr IntegerType kIntegers[] = {
    {"I64", widen<std::int64_t>},  {"I32", widen<std::int32_t>},  {"I16", widen<std::int16_t>},
    {"I8", widen<std::int8_t>},    {"U64", widen<std::uint64_t>}, {"U32", widen<std::uint32_t>},
    {"U16", widen<std::uint16_t>}, {"U8", widen<std::uint8_t>},   {"BOOL", widen<std::uint8_t>}};

}  // namespace

ArgumentFile::ArgumentFile(const Path& path, std::initializer_list<std::string_view> known)
    : file_(path), header_(parse_safetensors(file_.bytes(), path.string())) {
  for (const StoredTensor& tensor : header_.tensors) {
    if (std::find(known.begin(), known.end(), tensor.name) != known.end()) continue;
    refuse(tensor.name, fmt::format("this model reads {}", fmt::join(known, ", ")));
  }
}

ArgumentTensor<std::int64_t> ArgumentFile::integers(const std::string& name) const {
  const StoredTensor& tensor = at(name);
  for (const IntegerType& type : kIntegers) {
    if (type.name == tensor.dtype_name) return {tensor.shape, type.read(bytes(tensor))};
  }
  refuse(name, fmt::format("numbers are {}; want integers", tensor.dtype_name));
}

ArgumentTensor<float> ArgumentFile::numbers(const std::string& name) const {
  const StoredTensor& tensor = at(name);
  const auto dtype = tensor.dtype();
  if (!dtype || !is_floating(*dtype)) {
    refuse(name, fmt::format("numbers are {}; want F32, BF16, F16 or F64", tensor.dtype_name));
  }
  const std::span<const std::byte> stored = bytes(tensor);
  std::vector<std::byte> aligned(stored.begin(), stored.end());
  ArgumentTensor<float> out = {tensor.shape, {}};
  out.values.resize(static_cast<std::size_t>(tensor.shape.numel()));
  host_copy(contiguous_view(aligned.data(), *dtype, tensor.shape),
            contiguous_view(out.values.data(), DType::f32, tensor.shape));
  if (!std::all_of(out.values.begin(), out.values.end(),
                   [](float x) { return std::isfinite(x); })) {
    refuse(name, "holds numbers that are not finite");
  }
  return out;
}

void ArgumentFile::refuse(const std::string& name, const std::string& why) const {
  throw DataError("{}: {}: {}", file_.path().string(), in_quotes(name), why);
}

const StoredTensor* ArgumentFile::find(const std::string& name) const {
  const auto found = std::find_if(header_.tensors.begin(), header_.tensors.end(),
                                  [&](const StoredTensor& tensor) { return tensor.name == name; });
  return found == header_.tensors.end() ? nullptr : &*found;
}

const StoredTensor& ArgumentFile::at(const std::string& name) const {
  const StoredTensor* tensor = find(name);
  if (tensor == nullptr) refuse(name, "missing");
  return *tensor;
}

std::span<const std::byte> ArgumentFile::bytes(const StoredTensor& tensor) const {
  return file_.bytes().subspan(tensor.begin, tensor.end - tensor.begin);
}

}  // namespace ty
