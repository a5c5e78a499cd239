#include "launch/process/world.h"

#include <omp.h>

#include <cstdlib>
#include <exception>

#include "core/base/machine.h"

#ifdef TY_HAVE_MPI
#include "parallel/comm/mpi/mpi_world.h"
#endif

namespace ty {

#ifndef TY_HAVE_MPI
class MpiSession {};
#endif

World::World(RankStatus& status) : cores_(usable_cores()) {
  int share = 1;  // ranks that use the same cores
#ifdef TY_HAVE_MPI
  if (launched_by_mpi()) {
    mpi_ = std::make_unique<MpiSession>();
    group_ = mpi_->world();
    status.abort_job = abort_mpi_job;
    share = mpi_->local_size();
  }
#endif
  status.rank = group_.rank();
  status.size = group_.size();
  if (std::getenv("OMP_NUM_THREADS") == nullptr) omp_set_num_threads(threads_per_process(share));
  threads_ = omp_get_max_threads();
}

World::~World() {
  group_ = Group();  // before the session ends
  // After an error the job ends by abort: finalising would wait for ranks that wait for this one.
  if (std::uncaught_exceptions() > 0) static_cast<void>(mpi_.release());
}

}  // namespace ty
