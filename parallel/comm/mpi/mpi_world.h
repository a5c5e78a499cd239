// Ranks as MPI processes. This folder is the only place that knows MPI.
#pragma once

#include <memory>

#include "parallel/comm/communicator.h"

namespace ty {

// True if a launcher (mpirun, srun) started this process as one of several ranks.
bool launched_by_mpi();

// MPI from construction to destruction; one per process.
class MpiSession {
 public:
  // Seconds that a rank waits for the others before it gives up with CommError.
  explicit MpiSession(double timeout_seconds = 600.0);
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  Group world() const;
  // Ranks of the world on this machine, and this rank's number among them.
  int local_size() const { return local_size_; }
  int local_rank() const { return local_rank_; }

 private:
  std::shared_ptr<Communicator> world_;
  int local_size_ = 1;
  int local_rank_ = 0;
};

// Ends all ranks of the job with this exit code; does not return.
[[noreturn]] void abort_mpi_job(int code);

}  // namespace ty
