#include "models/huggingface/model_directory.h"

#include "core/base/error.h"
#include "core/io/json.h"
#include "models/huggingface/model_config.h"
#include "models/huggingface/model_tensors.h"

namespace ty {

namespace {
constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;
constexpr const char* kConfigName = "config.json";
}  // namespace

ModelSpec parse_model_config(const Path& directory) {
  const Path file = directory / kConfigName;
  return model_spec_from_json(parse_json(read_text_file(file, kMaxConfigBytes), file.string()),
                              file.string());
}

ModelSpec read_model_config(const Path& directory) {
  return read_model_config(directory, open_tensors(directory));
}

ModelSpec read_model_config(const Path& directory, const TensorSet& tensors) {
  ModelSpec spec = parse_model_config(directory);
  spec.tied = spec.tied && !has_own_head(tensors, spec);
  const Path file = directory / kConfigName;
  check_sizes(tensors, spec, file);
  try {
    // Declares parameters and nothing else.
    const Model model(describe_model(spec), LinearRules(spec.linear));
    check_tensors(tensors, model.parameters(), spec);
  } catch (const ConfigError& e) {
    throw DataError("{}: {}", file.string(), e.what());
  }
  return spec;
}

void write_model_config(FileWriter& out, const ModelSpec& spec) {
  out.write(model_spec_to_json(spec).dump(2) + "\n");
}

OpenedModel declare_model(const ModelSpec& spec, Backend& backend, const FlatOptions& options,
                          std::int64_t bucket_elements, std::int64_t shards,
                          const ModelPart& part) {
  OpenedModel opened = {spec, nullptr, nullptr};
  const ModelDescription description = describe_model(spec);
  const LinearRules rules(spec.linear);
  // Declares parameters and nothing else.
  const Model whole(description, rules, part.sharing);
  opened.spec.linear = exact_rules(whole.linear_sites());
  const bool is_whole = part.partition.ranges.empty();
  opened.model = std::make_unique<Model>(description, rules, part.sharing,
                                         is_whole ? one_stage(description.size()) : part.partition,
                                         part.stage);
  ParameterStore& store = opened.model->parameters();
  opened.parameters = std::make_unique<FlatParameters>(
      store, plan_flat_layout(store, bucket_elements, shards), backend, options);
  return opened;
}

OpenedModel open_model(const Path& directory, Backend& backend, const FlatOptions& options) {
  OpenedModel opened = declare_model(read_model_config(directory), backend, options);
  load_weights(directory, *opened.parameters, opened.spec);
  return opened;
}

}  // namespace ty
