// The mesh: how the ranks of a job are arranged along the axes pipeline, data and tensor.
//
// rank = (pipeline * data_size + data) * tensor_size + tensor: tensor neighbours are closest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/axis.h"
#include "parallel/comm/communicator.h"

namespace ty {

struct MeshShape {
  int pipeline = 1;
  int data = 1;
  int tensor = 1;
  int size() const { return pipeline * data * tensor; }
};

struct MeshCoordinate {
  int pipeline = 0;
  int data = 0;
  int tensor = 0;
};

MeshCoordinate coordinate_of(int rank, const MeshShape& shape);
int rank_of(const MeshCoordinate& at, const MeshShape& shape);
// The ranks that differ from `rank` along one axis only, including itself, in the order of that
// axis.
std::vector<int> ranks_along(Axis axis, int rank, const MeshShape& shape);
// Those of them at both ends of an axis; a rank between the ends is alone.
std::vector<int> ends_along(Axis axis, int rank, const MeshShape& shape);
// The ranks of the same place in the pipeline: all of data x tensor, in their order.
std::vector<int> ranks_of_stage(int rank, const MeshShape& shape);
// "pp1 dp0 tp1"
std::string to_string(const MeshCoordinate& at);

// Degrees as stated by the user: a number, or nothing for "auto".
struct MeshRequest {
  std::optional<int> pipeline, data, tensor;
};
// Fills in automatic degrees: pipeline and tensor become 1, data takes the remaining ranks. Throws
// ConfigError if a degree is not positive or their product is not `ranks`.
MeshShape resolve(const MeshRequest& request, int ranks);

// The groups of this rank. When the job starts, all ranks create all groups, in the order tensor,
// data, pipeline, stage, ends; none is ever created conditionally.
class Mesh {
 public:
  // Throws ConfigError if the shape's size is not the world's.
  Mesh(Group world, MeshShape shape);
  const Group& world() const { return world_; }
  const Group& tensor() const { return tensor_; }
  const Group& data() const { return data_; }
  const Group& pipeline() const { return pipeline_; }
  // All of data x tensor.
  const Group& stage() const { return stage_; }
  // The first and the last stage of the pipeline.
  const Group& ends() const { return ends_; }
  const MeshShape& shape() const { return shape_; }
  const MeshCoordinate& at() const { return at_; }

  // Divides `device_world`, the same ranks for this backend's memory, as the world is, now and in
  // the same order: from then on, on(backend) of a group along an axis is its part of it. The
  // backend must outlive those groups. A collective call.
  void carry_over(Backend& backend, const Group& device_world) const;

 private:
  Group world_;
  MeshShape shape_;
  MeshCoordinate at_;
  Group tensor_, data_, pipeline_, stage_, ends_;  // made in this order
};

}  // namespace ty
