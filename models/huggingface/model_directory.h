// A model directory: config.json and safetensors, as the public `transformers` library reads and
// writes them. Ours and theirs are the same format.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/io/tensor_set.h"
#include "core/nn/flat_parameters.h"
#include "models/transformer/freezing.h"
#include "models/transformer/model.h"
#include "models/transformer/spec.h"

namespace ty {

// The description in config.json alone. Throws DataError that names file and key.
ModelSpec parse_model_config(const Path& directory);

// The description of a model directory, verified against its tensors before anyone plans or
// allocates with it: all must be present, with the expected shapes. A separately stored head is
// used whatever the tied flag says, as in the public library. Throws DataError that names file and
// key, or the tensors.
ModelSpec read_model_config(const Path& directory);
ModelSpec read_model_config(const Path& directory, const TensorSet& tensors);
// Writes the content of config.json.
void write_model_config(FileWriter& out, const ModelSpec& spec);

// A model and the memory of its parameters.
struct OpenedModel {
  ModelSpec spec;  // linear layers of the whole model by name, with all sizes resolved
  std::vector<LinearSite> linear_sites;  // the same, and how ranks hold them
  std::int64_t whole_count = 0;          // numbers in the whole model
  std::int64_t trained_count = 0;        // of them, those that are not frozen
  std::vector<std::string> frozen = {};  // names of those that are not trained
  std::unique_ptr<Model> model;          // of this rank
  std::unique_ptr<FlatParameters> parameters;
};

// The part of a model that a rank holds.
struct ModelPart {
  Sharing sharing = {};
  Partition partition = {};  // without ranges: all blocks
  int stage = 0;
  TrainingRules training = {};
  LinearObserver* observer = nullptr;  // watches its linear layers; must outlive the model
};

// A model, or this rank's part of it, whose weights are not set yet; bucket and shards as
// plan_flat_layout() has them.
OpenedModel declare_model(const ModelSpec& spec, Backend& backend, const FlatOptions& options,
                          std::int64_t bucket_elements = 1, std::int64_t shards = 1,
                          const ModelPart& part = ModelPart());

// Opens a model directory. Without gradients, only its weights take memory. Throws as
// read_model_config() and load_weights() do.
OpenedModel open_model(const Path& directory, Backend& backend, const FlatOptions& options);

// Options for a model that is only run, in this type.
inline FlatOptions only_run(DType dtype = DType::f32) {
  return {.compute = dtype, .weights = dtype, .gradients = false};
}

}  // namespace ty
