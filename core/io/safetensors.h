// The safetensors format: a u64 header length, a JSON header (name -> dtype, shape, byte range) and
// the elements, row-major and little-endian. https://github.com/huggingface/safetensors
//
// The reader trusts nothing: a file that opens is unambiguous, and every View lies inside it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/view.h"
#include "core/io/file_writer.h"

namespace ty {

// Largest header that a reader accepts, as in the reference implementation.
inline constexpr std::uint64_t kSafetensorsMaxHeader = 100'000'000;

struct StoredTensor {
  std::string name;
  std::string dtype_name;  // as the file spells it: F32, BF16, U8, ...
  Shape shape;
  std::uint64_t begin = 0;  // bytes from the start of the file
  std::uint64_t end = 0;

  // The type to compute in; none for types that we can list but not read (U8, BOOL, F8_E4M3, ...).
  std::optional<DType> dtype() const;
};

struct SafetensorsHeader {
  std::vector<StoredTensor> tensors;            // in the order of their data
  std::map<std::string, std::string> metadata;  // "__metadata__"
};

// Reads and checks the header of a file whose content is `file`. Throws DataError
// `PLACE: tensor "NAME": what is wrong` for anything but a complete, exact file.
SafetensorsHeader parse_safetensors(std::span<const std::byte> file, const std::string& place);

// One open file.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const Path& path, Links links = Links::follow);

  const Path& path() const { return file_.path(); }
  const std::vector<StoredTensor>& tensors() const { return header_.tensors; }
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }
  bool contains(const std::string& name) const { return index_.contains(name); }
  // Throws DataError, with the nearest names, if there is none.
  const StoredTensor& tensor(const std::string& name) const;
  // The elements, contiguous and read-only, for the lifetime of this object. Throws DataError for
  // an unknown name or a dtype that we cannot compute in.
  View view(const std::string& name) const;
  // Releases the memory that a tensor was read into; using a view of it reads the file again.
  void forget(const std::string& name) const;

 private:
  MappedFile file_;
  SafetensorsHeader header_;
  std::map<std::string, std::size_t, std::less<>> index_;
  // Old writers did not align their data; such tensors are copied on first use.
  mutable std::mutex copies_mutex_;
  mutable std::map<std::string, std::vector<std::byte>> copies_;
};

// Throws the DataError for a tensor that is not among `names`, and suggests the closest names.
[[noreturn]] void throw_no_tensor(const Path& path, const std::string& name,
                                  std::span<const std::string> names);

struct TensorInfo {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
};

// Writes tensors one at a time, so that they need not be in memory together. The order is the
// format's own (wide elements first, then by name), so equal content gives equal bytes.
class SafetensorsWriter {
 public:
  // Writes the header. Throws InternalError for a repeated name.
  SafetensorsWriter(FileWriter& out, std::vector<TensorInfo> tensors,
                    const std::map<std::string, std::string>& metadata = {});
  // The tensors that append() expects, in this order.
  const std::vector<TensorInfo>& order() const { return order_; }
  // The next tensor; any strides, host memory.
  void append(const View& view);
  // Throws InternalError if a tensor is missing.
  void finish() const;

 private:
  FileWriter& out_;
  std::vector<TensorInfo> order_;
  std::size_t next_ = 0;
};

struct NamedView {
  std::string name;
  View view;
};

// Writes a whole set of tensors to `out`; the caller calls its finish().
void write_safetensors(FileWriter& out, std::span<const NamedView> tensors,
                       const std::map<std::string, std::string>& metadata = {});
// The same as a separate file, durable on return.
FileSummary write_safetensors(const Path& path, std::span<const NamedView> tensors,
                              const std::map<std::string, std::string>& metadata = {});

}  // namespace ty
