#include "parallel/mesh/mesh.h"

#include "core/base/error.h"

namespace ty {

MeshCoordinate coordinate_of(int rank, const MeshShape& s) {
  return {rank / (s.tensor * s.data), rank / s.tensor % s.data, rank % s.tensor};
}

int rank_of(const MeshCoordinate& at, const MeshShape& s) {
  return (at.pipeline * s.data + at.data) * s.tensor + at.tensor;
}

std::string to_string(const MeshCoordinate& at) {
  return fmt::format("pp{} dp{} tp{}", at.pipeline, at.data, at.tensor);
}

MeshShape resolve(const MeshRequest& request, int ranks) {
  MeshShape shape = {request.pipeline.value_or(1), 1, request.tensor.value_or(1)};
  const int rest = shape.pipeline * shape.tensor;
  shape.data = request.data.value_or(ranks % rest == 0 ? ranks / rest : 1);
  if (shape.size() != ranks) {
    throw ConfigError(
        "parallel: dp {} x tp {} x pp {} = {} ranks, but the job has {}; change "
        "parallel.data, tensor or pipeline",
        shape.data, shape.tensor, shape.pipeline, shape.size(), ranks);
  }
  return shape;
}

Mesh::Mesh(Group world, MeshShape shape)
    : world_(std::move(world)),
      shape_(shape),
      at_(coordinate_of(world_.rank(), shape)),
      data_(world_.split(at_.pipeline * shape.tensor + at_.tensor, at_.data)) {}

}  // namespace ty
