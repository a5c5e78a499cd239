// Layout: how a job's work lies on its ranks. The same for a run, a benchmark (on all ranks there
// are) and a plan (on ranks that do not exist).
#pragma once

#include "launch/job/job_config.h"
#include "models/linear/base/sharing.h"
#include "parallel/data/gradient_reducer.h"
#include "parallel/mesh/mesh.h"

namespace ty {

struct Layout {
  Mesh mesh = Mesh(Group(), {});  // the ranks along each axis, for numbers and texts of the host
  AxisGroups groups = {};         // the same, as gradients are summed over them
  Sharing sharing = {};           // of each layer, by the tensor ranks on the backend
};

// The degrees of a job on so many ranks. Throws ConfigError if they do not fit.
MeshShape mesh_shape(const JobConfig& job, int ranks);
// The degrees that a job states; data ranks that it leaves open are one.
MeshShape stated_mesh(const JobConfig& job);

// A collective call of all ranks; each has a backend of its own. Throws as mesh_shape() does.
Layout make_layout(const JobConfig& job, const Group& world, Backend& backend);
// Over a mesh whose device plane is open.
Layout layout_over(const JobConfig& job, Mesh mesh, Backend& backend);
// The first rank of a stage, of ranks that do not exist.
Layout make_phantom_layout(const JobConfig& job, int ranks, int stage, Backend& backend);

// "2 data x 4 tensor"; "" of one rank.
std::string describe_axes(const MeshShape& shape);
// "2 data x 4 tensor ranks", "1 rank"
std::string describe(const MeshShape& shape);

}  // namespace ty
