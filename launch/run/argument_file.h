// Tensors of a safetensors file as numbers: integers of any type, and floats.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/io/safetensors.h"

namespace ty {

template <typename T>
struct ArgumentTensor {
  Shape shape;
  std::vector<T> values;
};

class ArgumentFile {
 public:
  // Throws DataError if a tensor has a name that is not among `known`.
  ArgumentFile(const Path& path, std::initializer_list<std::string_view> known);

  bool has(const std::string& name) const { return find(name) != nullptr; }
  // Both throw DataError if the tensor is missing or of another kind, or a number is none.
  ArgumentTensor<std::int64_t> integers(const std::string& name) const;
  ArgumentTensor<float> numbers(const std::string& name) const;
  // Throws a DataError about a tensor.
  [[noreturn]] void refuse(const std::string& name, const std::string& why) const;

 private:
  const StoredTensor* find(const std::string& name) const;
  const StoredTensor& at(const std::string& name) const;
  std::span<const std::byte> bytes(const StoredTensor& tensor) const;

  MappedFile file_;
  SafetensorsHeader header_;
};

}  // namespace ty
