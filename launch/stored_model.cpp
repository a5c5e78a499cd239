#include "launch/stored_model.h"

#include "core/base/error.h"
#include "models/linear/linear.h"

namespace ty {

namespace {

// Beside weights and config.json: the tokenizer, and how to generate.
constexpr const char* kSideFiles[] = {"tokenizer.json",
                                      "tokenizer_config.json",
                                      "vocab.json",
                                      "merges.txt",
                                      "special_tokens_map.json",
                                      "added_tokens.json",
                                      "generation_config.json"};

}  // namespace

StoredModel::StoredModel(const Path& directory)
    : directory_(directory),
      tensors_(open_tensors(directory)),
      config_(read_model_config(directory, tensors_)),
      model_(describe_gpt2(config_), LinearRules(config_.linear)) {}

DType StoredModel::dtype(const LinearSite& site) const {
  for (const Parameter& parameter : parameters().all()) {
    const bool is_its = parameter.name.starts_with(site.place() + ".");
    if (is_its && !parameter.name.ends_with(".bias")) return dtype(parameter.name);
  }
  throw InternalError("{} has no weight", site.path);
}

std::vector<double> StoredModel::values(const std::string& parameter, const Shape& shape) const {
  std::vector<double> result(static_cast<std::size_t>(shape.numel()));
  read(parameter, contiguous_view(result.data(), DType::f64, shape));
  return result;
}

std::vector<double> StoredModel::dense_weight(const LinearSite& site) const {
  const auto backend = make_cpu_backend();
  ParameterStore store;
  const auto map = make_linear(Scope(store, site.place()), site.stored(), site.spec, Split::none);
  FlatParameters parameters(store, plan_flat_layout(store, 1, 1), *backend,
                            {.compute = DType::f64, .weights = DType::f64});
  for (std::size_t i = 0; i < store.all().size(); ++i) {
    const Parameter& parameter = store.all()[i];
    backend->write(parameters.weight_of(i).view(), values(parameter.name, parameter.shape).data());
  }
  return map->dense_weight().values<double>();
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
