// A model directory: config.json and safetensors, as the public `transformers` library reads and
// writes them. Ours and theirs are the same format.
#pragma once

#include <cstdint>
#include <memory>

#include "core/io/tensor_set.h"
#include "core/nn/flat_parameters.h"
#include "models/transformer/model.h"
#include "models/transformer/spec.h"

namespace ty {

// What config.json alone says. Throws DataError that names file and key.
ModelSpec parse_model_config(const Path& directory);

// The description of a model directory, compared with its tensors: all of them are there, in the
// shapes that it asks for, before anyone plans or allocates by it. A head of its own counts, tied
// flag or not, as in the public library. Throws DataError that names file and key, or the tensors.
ModelSpec read_model_config(const Path& directory);
ModelSpec read_model_config(const Path& directory, const TensorSet& tensors);
// The content of its config.json.
void write_model_config(FileWriter& out, const ModelSpec& spec);

// A model and the memory of its parameters.
struct OpenedModel {
  ModelSpec spec;  // its linear layers by name, all sizes worked out
  std::unique_ptr<Model> model;
  std::unique_ptr<FlatParameters> parameters;
};

// A model, or this rank's part of it, whose weights are not set yet; bucket and shards as
// plan_flat_layout() has them.
OpenedModel declare_model(const ModelSpec& spec, Backend& backend, const FlatOptions& options,
                          std::int64_t bucket_elements = 1, std::int64_t shards = 1,
                          const Sharing& sharing = {});

// Opens a model directory. Without gradients its weights are all the memory that it takes. Throws
// as read_model_config() and load_weights() do.
OpenedModel open_model(const Path& directory, Backend& backend, const FlatOptions& options);

// What a model that is only run wants, in numbers of this type.
inline FlatOptions only_run(DType dtype = DType::f32) {
  return {.compute = dtype, .weights = dtype, .gradients = false};
}

}  // namespace ty
