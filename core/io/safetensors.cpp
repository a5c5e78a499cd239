#include "core/io/safetensors.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <tuple>

#include "core/base/error.h"
#include "core/base/suggest.h"
#include "core/io/json.h"

namespace ty {

namespace {

constexpr std::uint64_t kDataAlignment = 64;

const char* stored_name(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "F32";
    case DType::bf16:
      return "BF16";
    case DType::f16:
      return "F16";
    case DType::f64:
      return "F64";
    case DType::i32:
      return "I32";
    case DType::i64:
      return "I64";
  }
  return "?";
}

// The header's text, padded with blanks so that the data begins at a multiple of 64 bytes.
std::string header_text(const std::vector<TensorInfo>& order,
                        const std::map<std::string, std::string>& metadata) {
  std::string text = "{";
  if (!metadata.empty()) text += "\"__metadata__\":" + nlohmann::json(metadata).dump();
  std::uint64_t position = 0;
  for (const TensorInfo& tensor : order) {
    const std::uint64_t end =
        position + static_cast<std::uint64_t>(tensor.shape.numel()) * size_of(tensor.dtype);
    text += fmt::format("{}{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}",
                        text.size() > 1 ? "," : "", nlohmann::json(tensor.name).dump(),
                        stored_name(tensor.dtype),
                        fmt::join(tensor.shape.begin(), tensor.shape.end(), ","), position, end);
    position = end;
  }
  text += "}";
  const std::uint64_t used = (sizeof(std::uint64_t) + text.size()) % kDataAlignment;
  if (used != 0) text.append(kDataAlignment - used, ' ');
  return text;
}

void write_elements(FileWriter& out, const View& view) {
  if (view.numel() == 0) return;
  if (view.is_contiguous()) {
    out.write(std::span(view.as<const std::byte>(), view.bytes()));
  } else if (view.rank() > 1) {
    for (std::int64_t i = 0; i < view.shape[0]; ++i) write_elements(out, view[i]);
  } else {
    std::vector<std::byte> row(view.bytes());
    const auto element = static_cast<std::int64_t>(size_of(view.dtype));
    const std::int64_t step = view.strides[0] * element;
    for (std::int64_t i = 0; i < view.shape[0]; ++i) {
      std::memcpy(row.data() + i * element, view.as<const std::byte>() + i * step,
                  static_cast<std::size_t>(element));
    }
    out.write(row);
  }
}

}  // namespace

void throw_no_tensor(const Path& path, const std::string& name,
                     std::span<const std::string> names) {
  throw DataError("{}: no tensor {} among its {}{}", path.string(), in_quotes(name), names.size(),
                  did_you_mean(name, names));
}

SafetensorsFile::SafetensorsFile(const Path& path, Links links)
    : file_(path, links), header_(parse_safetensors(file_.bytes(), path.string())) {
  for (std::size_t i = 0; i < header_.tensors.size(); ++i) {
    index_.emplace(header_.tensors[i].name, i);
  }
}

const StoredTensor& SafetensorsFile::tensor(const std::string& name) const {
  const auto found = index_.find(name);
  if (found != index_.end()) return header_.tensors[found->second];
  std::vector<std::string> names;
  for (const auto& [known, position] : index_) names.push_back(known);
  throw_no_tensor(path(), name, names);
}

void SafetensorsFile::forget(const std::string& name) const {
  const StoredTensor& stored = tensor(name);
  file_.forget(file_.bytes().subspan(stored.begin, stored.end - stored.begin));
}

View SafetensorsFile::view(const std::string& name) const {
  const StoredTensor& stored = tensor(name);
  const std::optional<DType> dtype = stored.dtype();
  if (!dtype) {
    throw DataError(
        "{}: tensor {}: dtype {} cannot be read; convert it to F64, F32, F16, BF16, I64 or I32",
        path().string(), in_quotes(name), stored.dtype_name);
  }
  const auto bytes = file_.bytes().subspan(stored.begin, stored.end - stored.begin);
  const std::byte* data = bytes.data();
  if (stored.begin % size_of(*dtype) != 0) {
    const std::lock_guard lock(copies_mutex_);
    const auto [copy, is_new] = copies_.try_emplace(name);
    if (is_new) copy->second.assign(bytes.begin(), bytes.end());
    data = copy->second.data();
  }
  return contiguous_view(const_cast<std::byte*>(data), *dtype, stored.shape);
}

SafetensorsWriter::SafetensorsWriter(FileWriter& out, std::vector<TensorInfo> tensors,
                                     const std::map<std::string, std::string>& metadata)
    : out_(out), order_(std::move(tensors)) {
  std::sort(order_.begin(), order_.end(), [](const TensorInfo& a, const TensorInfo& b) {
    return std::make_tuple(size_of(b.dtype), std::cref(a.name)) <
           std::make_tuple(size_of(a.dtype), std::cref(b.name));
  });
  std::set<std::string> names{"__metadata__"};
  for (const TensorInfo& tensor : order_) {
    TY_CHECK(names.insert(tensor.name).second, "tensor {} is given twice or is reserved",
             tensor.name);
  }
  const std::string header = header_text(order_, metadata);
  TY_CHECK(header.size() <= kSafetensorsMaxHeader, "header of {} bytes", header.size());
  const std::uint64_t length = header.size();
  out_.write(std::as_bytes(std::span(&length, 1)));
  out_.write(header);
}

void SafetensorsWriter::append(const View& view) {
  TY_CHECK(next_ < order_.size(), "all {} tensors are written already", order_.size());
  const TensorInfo& wanted = order_[next_];
  TY_CHECK(view.dtype == wanted.dtype && view.shape == wanted.shape,
           "tensor {}: got {} {}, announced were {} {}", wanted.name, name_of(view.dtype),
           view.shape.str(), name_of(wanted.dtype), wanted.shape.str());
  write_elements(out_, view);
  ++next_;
}

void SafetensorsWriter::finish() const {
  TY_CHECK(next_ == order_.size(), "{} of {} tensors were written", next_, order_.size());
}

void write_safetensors(FileWriter& out, std::span<const NamedView> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<TensorInfo> infos;
  std::map<std::string, const View*> views;
  for (const NamedView& tensor : tensors) {
    infos.push_back({tensor.name, tensor.view.dtype, tensor.view.shape});
    views[tensor.name] = &tensor.view;
  }
  SafetensorsWriter writer(out, std::move(infos), metadata);
  for (const TensorInfo& tensor : writer.order()) writer.append(*views.at(tensor.name));
  writer.finish();
}

FileSummary write_safetensors(const Path& path, std::span<const NamedView> tensors,
                              const std::map<std::string, std::string>& metadata) {
  FileWriter out(path);
  write_safetensors(out, tensors, metadata);
  return out.finish();
}

}  // namespace ty
