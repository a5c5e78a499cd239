#include "launch/process/world.h"

#include <omp.h>

#include <cstdlib>

#include "core/base/machine.h"

#ifdef TY_HAVE_MPI
#include "parallel/comm/mpi/mpi_world.h"
#endif

namespace ty {

#ifndef TY_HAVE_MPI
class MpiSession {};
#endif

int launched_ranks() {
#ifdef TY_HAVE_MPI
  return ranks_of_launcher();
#else
  return 1;
#endif
}

World::World(RankStatus& status) : cores_(usable_cores()) {
#ifdef TY_HAVE_MPI
  if (launched_by_mpi()) {
    mpi_ = std::make_unique<MpiSession>();
    group_ = mpi_->world();
    status.abort_job = abort_mpi_job;
    place_ = {mpi_->local_rank(), mpi_->local_size()};
  }
#endif
  status.rank = group_.rank();
  status.size = group_.size();
  if (std::getenv("OMP_NUM_THREADS") == nullptr)
    omp_set_num_threads(threads_per_process(place_.ranks));
  threads_ = omp_get_max_threads();
}

World::~World() = default;  // the group first, then the session, which knows how a job ends

}  // namespace ty
