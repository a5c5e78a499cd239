#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <tuple>

#include "core/base/error.h"
#include "core/io/json.h"
#include "core/io/safetensors.h"

namespace ty {

namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

struct KnownType {
  const char* name;
  std::uint64_t bytes;
  std::optional<DType> dtype;
};

constexpr std::array<KnownType, 16> kKnownTypes{{
    {"F64", 8, DType::f64},
    {"F32", 4, DType::f32},
    {"F16", 2, DType::f16},
    {"BF16", 2, DType::bf16},
    {"I64", 8, DType::i64},
    {"I32", 4, DType::i32},
    {"BOOL", 1, {}},
    {"U8", 1, {}},
    {"I8", 1, {}},
    {"F8_E5M2", 1, {}},
    {"F8_E4M3", 1, {}},
    {"I16", 2, {}},
    {"U16", 2, {}},
    {"U32", 4, {}},
    {"U64", 8, {}},
    {"C64", 8, {}},
}};

const KnownType* find_type(std::string_view name) {
  for (const KnownType& type : kKnownTypes) {
    if (name == type.name) return &type;
  }
  return nullptr;
}

// A field of a tensor's entry that is a list of non-negative integers below 2^63.
std::vector<std::int64_t> integers(const Json& entry, const char* key, const std::string& where) {
  const Json& list = entry[key];
  const bool good =
      list.is_array() && std::all_of(list.begin(), list.end(), [](const Json& item) {
        return item.is_number_unsigned() &&
               item.get<std::uint64_t>() <=
                   static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
      });
  if (!good) {
    throw DataError("{}: {} is {}, want a list of integers >= 0", where, key,
                    in_quotes(list.dump().substr(0, 80)));
  }
  return list.get<std::vector<std::int64_t>>();
}

// Bytes of a tensor. Zeros count as ones for the overflow check: strides are such products too.
std::uint64_t checked_bytes(const Shape& shape, std::uint64_t element, const std::string& where) {
  std::int64_t bytes = static_cast<std::int64_t>(element);
  bool empty = false;
  for (std::int64_t dim : shape) {
    empty = empty || dim == 0;
    if (__builtin_mul_overflow(bytes, std::max<std::int64_t>(dim, 1), &bytes)) {
      throw DataError("{}: shape {} of {}-byte elements is more than 2^63 bytes", where,
                      shape.str(), element);
    }
  }
  return empty ? 0 : static_cast<std::uint64_t>(bytes);
}

StoredTensor parse_entry(const std::string& name, const Json& entry, std::uint64_t data_begin,
                         std::uint64_t data_size, const std::string& where) {
  if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") ||
      !entry.contains("shape") || !entry.contains("data_offsets")) {
    throw DataError("{}: its entry wants exactly dtype, shape and data_offsets", where);
  }
  const Json& dtype = entry["dtype"];
  const KnownType* type =
      dtype.is_string() ? find_type(dtype.get_ref<const std::string&>()) : nullptr;
  if (type == nullptr) {
    throw DataError("{}: unknown dtype {}; known are F64, F32, F16, BF16, I64, I32", where,
                    in_quotes(dtype.dump().substr(0, 80)));
  }
  const std::vector<std::int64_t> shape = integers(entry, "shape", where);
  if (shape.size() > static_cast<std::size_t>(Dims::kMaxRank)) {
    throw DataError("{}: {} dimensions, at most {} are supported", where, shape.size(),
                    Dims::kMaxRank);
  }
  const std::vector<std::int64_t> offsets = integers(entry, "data_offsets", where);
  if (offsets.size() != 2) {
    throw DataError("{}: data_offsets has {} numbers, want 2", where, offsets.size());
  }
  const auto begin = static_cast<std::uint64_t>(offsets[0]);
  const auto end = static_cast<std::uint64_t>(offsets[1]);
  if (begin > end || end > data_size) {
    throw DataError("{}: data_offsets [{}, {}] do not lie in the {} bytes of data", where, begin,
                    end, data_size);
  }
  StoredTensor tensor{name, type->name, Shape(shape), data_begin + begin, data_begin + end};
  const std::uint64_t bytes = checked_bytes(tensor.shape, type->bytes, where);
  if (bytes != end - begin) {
    throw DataError("{}: shape {} of {} is {} bytes, but data_offsets span {}", where,
                    tensor.shape.str(), type->name, bytes, end - begin);
  }
  return tensor;
}

std::map<std::string, std::string> parse_metadata(const Json& entry, const std::string& place) {
  std::map<std::string, std::string> metadata;
  if (!entry.is_object()) throw DataError("{}: __metadata__ is not an object", place);
  for (const auto& [key, value] : entry.items()) {
    if (!value.is_string()) {
      throw DataError("{}: __metadata__ {} is not a string", place, in_quotes(key));
    }
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

// Sorts by position and checks that the ranges follow each other from the first byte to the last.
void check_cover(std::vector<StoredTensor>& tensors, std::uint64_t data_begin,
                 std::uint64_t file_size, const std::string& place) {
  std::sort(tensors.begin(), tensors.end(), [](const StoredTensor& a, const StoredTensor& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  std::uint64_t position = data_begin;
  for (const StoredTensor& tensor : tensors) {
    if (tensor.begin != position) {
      throw DataError("{}: tensor {}: data begins at byte {}, but {} at byte {}", place,
                      in_quotes(tensor.name), tensor.begin,
                      tensor.begin < position ? "the tensor before ends" : "a hole opens",
                      position);
    }
    position = tensor.end;
  }
  if (position != file_size) {
    throw DataError("{}: {} bytes follow the last tensor, which ends at byte {}; want none", place,
                    file_size - position, position);
  }
}

}  // namespace

std::optional<DType> StoredTensor::dtype() const {
  const KnownType* type = find_type(dtype_name);
  return type == nullptr ? std::nullopt : type->dtype;
}

SafetensorsHeader parse_safetensors(std::span<const std::byte> file, const std::string& place) {
  constexpr std::uint64_t kLengthBytes = 8;
  if (file.size() < kLengthBytes) {
    throw DataError("{}: {} bytes are too few for a safetensors file, even an empty one has 10",
                    place, file.size());
  }
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), kLengthBytes);
  const std::uint64_t most = std::min(file.size() - kLengthBytes, kSafetensorsMaxHeader);
  if (length > most) {
    throw DataError(
        "{}: header length {} is more than {}; the file is cut short or not safetensors", place,
        length, most);
  }
  const std::uint64_t data_begin = kLengthBytes + length;
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + kLengthBytes, length);
  if (!text.starts_with('{')) {
    throw DataError("{}: the header does not begin with '{{'; is it safetensors?", place);
  }
  const Json header = parse_json(text, place);

  SafetensorsHeader result;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      result.metadata = parse_metadata(entry, place);
    } else {
      result.tensors.push_back(parse_entry(name, entry, data_begin, file.size() - data_begin,
                                           fmt::format("{}: tensor {}", place, in_quotes(name))));
    }
  }
  check_cover(result.tensors, data_begin, file.size(), place);
  return result;
}

}  // namespace ty
