#include "parallel/mesh/mesh.h"

#include <numeric>
#include <utility>

#include "core/base/error.h"

namespace ty {

MeshCoordinate coordinate_of(int rank, const MeshShape& s) {
  return {rank / (s.tensor * s.data), rank / s.tensor % s.data, rank % s.tensor};
}

int rank_of(const MeshCoordinate& at, const MeshShape& s) {
  return (at.pipeline * s.data + at.data) * s.tensor + at.tensor;
}

std::vector<int> ranks_along(Axis axis, int rank, const MeshShape& shape) {
  MeshCoordinate at = coordinate_of(rank, shape);
  const auto [index, degree] = axis == Axis::pipeline ? std::pair(&at.pipeline, shape.pipeline)
                               : axis == Axis::data   ? std::pair(&at.data, shape.data)
                                                      : std::pair(&at.tensor, shape.tensor);
  std::vector<int> ranks;
  for (*index = 0; *index < degree; ++*index) ranks.push_back(rank_of(at, shape));
  return ranks;
}

std::vector<int> ends_along(Axis axis, int rank, const MeshShape& shape) {
  const std::vector<int> all = ranks_along(axis, rank, shape);
  if (rank != all.front() && rank != all.back()) return {rank};
  if (all.size() == 1) return all;
  return {all.front(), all.back()};
}

std::vector<int> ranks_of_stage(int rank, const MeshShape& shape) {
  std::vector<int> ranks(static_cast<std::size_t>(shape.data * shape.tensor));
  std::iota(ranks.begin(), ranks.end(),
            coordinate_of(rank, shape).pipeline * shape.data * shape.tensor);
  return ranks;
}

std::string to_string(const MeshCoordinate& at) {
  return fmt::format("pp{} dp{} tp{}", at.pipeline, at.data, at.tensor);
}

namespace {

void check_product(std::int64_t data, std::int64_t tensor, std::int64_t pipeline, int ranks) {
  // Three ints multiplied in double cannot wrap around to the right answer.
  const double product =
      static_cast<double>(data) * static_cast<double>(tensor) * static_cast<double>(pipeline);
  if (product == ranks) return;
  throw ConfigError(Key{"parallel"},
                    "dp {} x tp {} x pp {} = {:.0f} ranks, but the job has {}; change "
                    "parallel.data, tensor or pipeline",
                    data, tensor, pipeline, product, ranks);
}

}  // namespace

MeshShape resolve(const MeshRequest& request, int ranks) {
  for (const auto& [name, degree] :
       {std::pair("pipeline", request.pipeline), std::pair("data", request.data),
        std::pair("tensor", request.tensor)}) {
    if (degree.value_or(1) < 1) {
      throw ConfigError(Key{fmt::format("parallel.{}", name)},
                        "{} is not a degree; give 1 or more, or auto", *degree);
    }
  }
  MeshShape shape = {request.pipeline.value_or(1), 1, request.tensor.value_or(1)};
  const std::int64_t rest = std::int64_t{shape.pipeline} * shape.tensor;
  if (!request.data && ranks % rest != 0) {
    throw ConfigError(
        Key{"parallel"},
        "tp {} x pp {} = {} does not divide the job's {} ranks, so parallel.data cannot "
        "fill what is left; change parallel.tensor, pipeline or the number of ranks",
        shape.tensor, shape.pipeline, rest, ranks);
  }
  shape.data = request.data.value_or(static_cast<int>(ranks / rest));
  check_product(shape.data, shape.tensor, shape.pipeline, ranks);
  return shape;
}

Mesh::Mesh(Group world, MeshShape shape)
    : world_((check_product(shape.data, shape.tensor, shape.pipeline, world.size()),
              std::move(world))),
      shape_(shape),
      at_(coordinate_of(world_.rank(), shape)),
      tensor_(world_.subgroup(ranks_along(Axis::tensor, world_.rank(), shape))),
      data_(world_.subgroup(ranks_along(Axis::data, world_.rank(), shape))),
      pipeline_(world_.subgroup(ranks_along(Axis::pipeline, world_.rank(), shape))),
      stage_(world_.subgroup(ranks_of_stage(world_.rank(), shape))),
      ends_(world_.subgroup(ends_along(Axis::pipeline, world_.rank(), shape))) {}

void Mesh::carry_over(Backend& backend, const Group& device_world) const {
  const int rank = world_.rank();
  const auto carry = [&](const Group& group, const std::vector<int>& members) {
    group.set_plane(backend, device_world.subgroup(members));
  };
  carry(tensor_, ranks_along(Axis::tensor, rank, shape_));
  carry(data_, ranks_along(Axis::data, rank, shape_));
  carry(pipeline_, ranks_along(Axis::pipeline, rank, shape_));
  carry(stage_, ranks_of_stage(rank, shape_));
  carry(ends_, ends_along(Axis::pipeline, rank, shape_));
}

}  // namespace ty
