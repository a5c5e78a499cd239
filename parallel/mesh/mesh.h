// The mesh: how the ranks of a job are arranged along the axes pipeline, data and tensor.
//
// rank = (pipeline * data_size + data) * tensor_size + tensor: tensor neighbours are closest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

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
// "pp1 dp0 tp1"
std::string to_string(const MeshCoordinate& at);

// Degrees as the user gives them: a number, or none for "auto".
struct MeshRequest {
  std::optional<int> pipeline, data, tensor;
};
// Fills what is left: data takes all ranks that pipeline and tensor (1 if auto) leave. Throws
// ConfigError if the product is not `ranks`.
MeshShape resolve(const MeshRequest& request, int ranks);

// The groups that this rank belongs to, made by all ranks in one order.
class Mesh {
 public:
  Mesh(Group world, MeshShape shape);
  const Group& world() const { return world_; }
  const Group& data() const { return data_; }
  const MeshShape& shape() const { return shape_; }
  const MeshCoordinate& at() const { return at_; }

 private:
  Group world_;
  MeshShape shape_;
  MeshCoordinate at_;
  Group data_;
};

}  // namespace ty
