#include "core/io/tensor_set.h"

#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/io/file_name.h"
#include "core/io/json.h"

namespace ty {

namespace {

constexpr std::uint64_t kMaxIndexBytes = 100'000'000;

// Tensor name -> file name.
std::map<std::string, std::string> read_weight_map(const Path& index) {
  const std::string place = index.string();
  const nlohmann::json document = parse_json(read_text_file(index, kMaxIndexBytes), place);
  if (!document.is_object() || !document.contains("weight_map") ||
      !document["weight_map"].is_object() || document["weight_map"].empty()) {
    throw DataError("{}: want an object with \"weight_map\": tensor name -> file name", place);
  }
  std::map<std::string, std::string> weight_map;
  for (const auto& [tensor, file] : document["weight_map"].items()) {
    if (!file.is_string()) {
      throw DataError("{}: weight_map {} is not a file name", place, in_quotes(tensor));
    }
    check_file_name(file.get_ref<const std::string&>(), place);
    weight_map[tensor] = file.get<std::string>();
  }
  return weight_map;
}

TensorSet open_one(const Path& file) {
  std::vector<std::unique_ptr<SafetensorsFile>> files;
  files.push_back(std::make_unique<SafetensorsFile>(file));
  return TensorSet(file, std::move(files));
}

TensorSet open_index(const Path& index) {
  const std::map<std::string, std::string> weight_map = read_weight_map(index);
  std::set<std::string> file_names;
  for (const auto& [tensor, file] : weight_map) file_names.insert(file);
  std::vector<std::unique_ptr<SafetensorsFile>> files;
  for (const std::string& name : file_names) {
    files.push_back(std::make_unique<SafetensorsFile>(index.parent_path() / name));
    for (const StoredTensor& tensor : files.back()->tensors()) {
      const auto listed = weight_map.find(tensor.name);
      if (listed == weight_map.end() || listed->second != name) {
        throw DataError("{}: holds tensor {}, which {} places {}; files of two models mixed?",
                        files.back()->path().string(), in_quotes(tensor.name),
                        index.filename().string(),
                        listed == weight_map.end() ? "nowhere" : "in " + listed->second);
      }
    }
  }
  TensorSet set(index, std::move(files));
  for (const auto& [tensor, file] : weight_map) {
    if (!set.contains(tensor)) {
      throw DataError("{}: weight_map places tensor {} in {}, which does not hold it",
                      index.string(), in_quotes(tensor), file);
    }
  }
  return set;
}

}  // namespace

TensorSet::TensorSet(const Path& path, std::vector<std::unique_ptr<SafetensorsFile>> files)
    : path_(path), files_(std::move(files)) {
  TY_CHECK(!files_.empty(), "{}: a tensor set wants at least one file", path.string());
  for (const auto& file : files_) {
    for (const StoredTensor& tensor : file->tensors()) owners_.emplace(tensor.name, file.get());
  }
  for (const auto& [name, file] : owners_) names_.push_back(name);
}

std::vector<Path> TensorSet::files() const {
  std::vector<Path> paths;
  for (const auto& file : files_) paths.push_back(file->path());
  if (files_.front()->path() != path_) paths.push_back(path_);
  return paths;
}

const SafetensorsFile& TensorSet::owner(const std::string& name) const {
  const auto found = owners_.find(name);
  if (found != owners_.end()) return *found->second;
  throw_no_tensor(path_, name, names_);
}

TensorSet open_tensors(const Path& path) {
  if (!std::filesystem::is_directory(path)) {
    return path.extension() == ".json" ? open_index(path) : open_one(path);
  }
  const Path single = path / "model.safetensors";
  if (std::filesystem::exists(single)) return open_one(single);
  const Path index = path / "model.safetensors.index.json";
  if (std::filesystem::exists(index)) return open_index(index);
  throw DataError(
      "{}: holds neither model.safetensors nor model.safetensors.index.json; is it a model "
      "directory? (pytorch_model.bin must be converted first)",
      path.string());
}

}  // namespace ty
