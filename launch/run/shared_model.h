// A model directory opened by all ranks of a job together, to be run and not trained.
#pragma once

#include "core/io/file.h"
#include "models/huggingface/model_directory.h"
#include "parallel/mesh/mesh.h"

namespace ty {

// The part of this rank, whose stages are of about equal cost.
ModelPart part_to_run(const ModelSpec& spec, const Mesh& mesh, Backend& backend);

struct SharedModel {
  Mesh mesh;
  OpenedModel opened;  // this rank's part
};

// With weights and activations of this type. The ranks that are not asked for along tensor and
// pipeline hold copies, along data. A collective call. Throws ConfigError if the degrees do not fit
// the ranks or the model, and as open_model() does.
SharedModel open_shared_model(const Path& directory, Backend& backend, const Group& world,
                              const MeshRequest& degrees, DType dtype = DType::f32);

}  // namespace ty
