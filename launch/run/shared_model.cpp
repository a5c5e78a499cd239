#include "launch/run/shared_model.h"

#include "launch/run/device_plane.h"
#include "launch/run/stages.h"
#include "models/huggingface/model_tensors.h"

namespace ty {

ModelPart part_to_run(const ModelSpec& spec, const Mesh& mesh, Backend& backend) {
  ModelPart part;
  part.sharing.tensor = mesh.tensor().on(backend);
  part.partition = even_partition(spec, {.stages = mesh.shape().pipeline}, spec.context);
  part.stage = mesh.at().pipeline;
  return part;
}

SharedModel open_shared_model(const Path& directory, Backend& backend, const Group& world,
                              const MeshRequest& degrees, DType dtype) {
  Mesh mesh(world, resolve(degrees, world.size()));
  open_device_plane(mesh, backend, Transport::automatic);
  const ModelSpec spec = read_model_config(directory);
  OpenedModel opened =
      declare_model(spec, backend, only_run(dtype), 1, 1, part_to_run(spec, mesh, backend));
  load_weights(directory, *opened.parameters, opened.spec);
  return {std::move(mesh), std::move(opened)};
}

}  // namespace ty
