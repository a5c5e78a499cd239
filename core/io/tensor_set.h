// The tensors of a model, in one safetensors file or in several with an index
// (model.safetensors.index.json, as Hugging Face writes large models).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/io/safetensors.h"

namespace ty {

// Tensors by name over one or more open files.
class TensorSet {
 public:
  explicit TensorSet(const Path& path, std::vector<std::unique_ptr<SafetensorsFile>> files);

  // What was opened, for messages.
  const Path& path() const { return path_; }
  // All files of the set: the single one, or the index and its parts.
  std::vector<Path> files() const;
  // Sorted.
  const std::vector<std::string>& names() const { return names_; }
  bool contains(const std::string& name) const { return owners_.contains(name); }
  // Both throw DataError, with the closest names, if there is no such tensor; see
  // SafetensorsFile::view.
  const StoredTensor& tensor(const std::string& name) const { return owner(name).tensor(name); }
  View view(const std::string& name) const { return owner(name).view(name); }
  // See SafetensorsFile::forget.
  void forget(const std::string& name) const { owner(name).forget(name); }
  // Of the first file.
  const std::map<std::string, std::string>& metadata() const { return files_.front()->metadata(); }

 private:
  const SafetensorsFile& owner(const std::string& name) const;

  Path path_;
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::map<std::string, const SafetensorsFile*> owners_;
  std::vector<std::string> names_;
};

// Opens a .safetensors file, an index (.json), or a directory that holds model.safetensors or
// model.safetensors.index.json. Throws DataError unless index and files agree exactly.
TensorSet open_tensors(const Path& path);

}  // namespace ty
