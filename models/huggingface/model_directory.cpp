#include "models/huggingface/model_directory.h"

#include "core/base/error.h"
#include "core/io/json.h"
#include "models/huggingface/model_config.h"
#include "models/huggingface/model_tensors.h"

namespace ty {

namespace {
constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;
constexpr const char* kConfigName = "config.json";

// Of parameters of which a rank may hold parts.
void count_whole(OpenedModel& opened, const ParameterStore& store) {
  for (const Parameter& parameter : store.all()) {
    const std::int64_t count = parameter.whole().numel();
    opened.whole_count += count;
    if (parameter.trainable) {
      opened.trained_count += count;
    } else {
      opened.frozen.push_back(parameter.name);
    }
  }
}

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
  spec.head.bias = spec.head.bias || has_fixed_bias(tensors, spec);
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
  const ModelDescription description = describe_model(spec);
  const LinearRules rules(spec.linear);
  // Declares parameters and nothing else.
  auto whole = std::make_unique<Model>(description, rules, part.sharing, part.observer);
  const TrainedParameters trained(part.training, whole->parameters());
  freeze_others(whole->parameters(), trained);
  const std::size_t first_trained = first_trained_block(description, whole->parameters());
  OpenedModel opened;
  opened.spec = spec;
  opened.linear_sites = whole->linear_sites();
  opened.spec.linear = exact_rules(opened.linear_sites);
  count_whole(opened, whole->parameters());
  const bool is_whole = part.partition.ranges.size() <= 1;
  opened.model = is_whole ? std::move(whole)
                          : std::make_unique<Model>(description, rules, part.sharing,
                                                    part.partition, part.stage, part.observer);
  opened.model->set_first_trained(first_trained);
  ParameterStore& store = opened.model->parameters();
  freeze_others(store, trained);
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
