// This process's place among the ranks of the job: a rank of MPI if a launcher started it,
// otherwise the only rank.
#pragma once

#include <memory>
#include <string>

#include "launch/process/rank.h"
#include "parallel/comm/communicator.h"

namespace ty {

class MpiSession;

// A rank among those of its machine.
struct MachinePlace {
  int rank = 0, ranks = 1;
};

// Ranks that a launcher has started, before any has joined.
int launched_ranks();

class World {
 public:
  // Joins the other ranks and divides the usable cores of a machine evenly among its ranks, unless
  // OMP_NUM_THREADS says otherwise. Sets `status` so that a failure ends the whole job.
  explicit World(RankStatus& status);
  ~World();

  const Group& group() const { return group_; }
  int rank() const { return group_.rank(); }
  int size() const { return group_.size(); }
  bool is_root() const { return rank() == 0; }
  MachinePlace place() const { return place_; }
  int threads() const { return threads_; }
  // Cores that this process may run on.
  int cores() const { return cores_; }

 private:
  std::unique_ptr<MpiSession> mpi_;
  Group group_;
  MachinePlace place_;
  int threads_ = 1;
  int cores_ = 1;
};

}  // namespace ty
