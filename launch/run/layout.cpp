#include "launch/run/layout.h"

#include "launch/run/device_plane.h"
#include "parallel/comm/phantom/phantom.h"

namespace ty {

namespace {

std::optional<int> degree(const config::IntOrAuto& stated) {
  if (!stated.value) return std::nullopt;
  return static_cast<int>(*stated.value);
}

}  // namespace

MeshShape mesh_shape(const JobConfig& job, int ranks) {
  return resolve({.pipeline = degree(job.parallel.pipeline),
                  .data = degree(job.parallel.data),
                  .tensor = degree(job.parallel.tensor)},
                 ranks);
}

MeshShape stated_mesh(const JobConfig& job) {
  return {.pipeline = degree(job.parallel.pipeline).value_or(1),
          .data = degree(job.parallel.data).value_or(1),
          .tensor = degree(job.parallel.tensor).value_or(1)};
}

Layout layout_over(const JobConfig& job, Mesh mesh, Backend& backend) {
  AxisGroups groups = {.data = mesh.data(),
                       .tensor = mesh.tensor(),
                       .pipeline = mesh.pipeline(),
                       .stage = mesh.stage(),
                       .ends = mesh.ends()};
  Sharing sharing = {.tensor = mesh.tensor().on(backend),
                     .rows = job.parallel.sequence,
                     .reduction = job.parallel.reduction};
  return {std::move(mesh), std::move(groups), std::move(sharing)};
}

Layout make_layout(const JobConfig& job, const Group& world, Backend& backend) {
  Mesh mesh(world, mesh_shape(job, world.size()));
  open_device_plane(mesh, backend, job.parallel.transport);
  return layout_over(job, std::move(mesh), backend);
}

Layout make_phantom_layout(const JobConfig& job, int ranks, int stage, Backend& backend) {
  const int rank = rank_of({.pipeline = stage}, mesh_shape(job, ranks));
  const Group phantom(std::make_shared<PhantomCommunicator>(rank, ranks));
  return layout_over(job, Mesh(phantom, mesh_shape(job, ranks)), backend);
}

std::string describe_axes(const MeshShape& shape) {
  std::string text;
  const auto add = [&](int degree, const char* axis) {
    if (degree > 1) text += fmt::format("{}{} {}", text.empty() ? "" : " x ", degree, axis);
  };
  add(shape.data, "data");
  add(shape.tensor, "tensor");
  add(shape.pipeline, "pipeline");
  return text;
}

std::string describe(const MeshShape& shape) {
  return shape.size() == 1 ? "1 rank" : describe_axes(shape) + " ranks";
}

}  // namespace ty
