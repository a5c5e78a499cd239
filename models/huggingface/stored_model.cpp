#include "models/huggingface/stored_model.h"

#include "core/base/error.h"
#include "models/huggingface/model_directory.h"
#include "models/linear/adapters.h"
#include "models/linear/dense_weight.h"

namespace ty {

namespace {

// Beside weights and config.json: the tokenizer, and how to generate.
constexpr const char* kSideFiles[] = {
    "tokenizer.json", "tokenizer_config.json",   "vocab.json",        "merges.txt",
    "vocab.txt",      "special_tokens_map.json", "added_tokens.json", "generation_config.json"};

}  // namespace

StoredModel::StoredModel(const Path& directory)
    : directory_(directory),
      tensors_(open_tensors(directory)),
      spec_(read_model_config(directory, tensors_)),
      model_(describe_model(spec_), LinearRules(spec_.linear)) {}

DType StoredModel::dtype(const LinearSite& site) const {
  for (const Parameter& parameter : parameters().all()) {
    const bool is_its = parameter.name.starts_with(site.path + ".");
    if (is_its && !parameter.name.ends_with(".bias")) return dtype(parameter.name);
  }
  throw InternalError("{} has no weight", site.path);
}

std::vector<double> StoredModel::values(const std::string& parameter, const Shape& shape) const {
  std::vector<double> result(static_cast<std::size_t>(shape.numel()));
  read(parameter, contiguous_view(result.data(), DType::f64, shape));
  return result;
}

void StoredModel::require_matrix(const LinearSite& site) const {
  if (is_one_matrix(site.spec)) return;
  throw DataError("{}: {}: {}: no one matrix stands for it that could be written or added to",
                  directory_.string(), site.path, describe(site.spec));
}

std::vector<double> StoredModel::dense_weight(const LinearSite& site) const {
  require_matrix(site);
  const auto of_map = [&](const std::string& name, const Shape& shape) {
    return values(site.path + "." + name, shape);
  };
  return ty::dense_weight(site.spec, site.shape, of_map).data;
}

std::vector<Path> StoredModel::side_files() const {
  std::vector<Path> found;
  for (const char* name : kSideFiles) {
    if (std::filesystem::exists(directory_ / name)) found.push_back(directory_ / name);
  }
  return found;
}

std::vector<Path> StoredModel::files() const {
  std::vector<Path> all = tensors_.files();
  all.push_back(directory_ / "config.json");
  for (Path& file : side_files()) all.push_back(std::move(file));
  return all;
}

}  // namespace ty
