// Ranks as MPI processes. This folder is the only place that knows MPI.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "parallel/comm/communicator.h"

namespace ty {

// True if a launcher (mpirun, srun) started this process as one of several ranks.
bool launched_by_mpi();
// As the launcher says, before any rank has joined; 1 where none does.
int ranks_of_launcher();

// Name and version of the MPI library in use.
std::string mpi_library();

struct MpiOptions {
  // How long a rank waits for others before it asks who is late; see Group::set_patience().
  double patience_seconds = kDefaultPatience;
  // MPI counts are ints; longer messages are sent in pieces.
  std::int64_t max_elements = std::int64_t{1} << 30;
};

// MPI from construction to destruction; one per process. All calls must come from one thread. If
// destroyed during stack unwinding it does not finalise MPI: other ranks may be waiting in a
// collective, and the launcher ends them only if this process exits without finalising.
class MpiSession {
 public:
  explicit MpiSession(MpiOptions options = {});
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  Group world() const;
  // Ranks of the world on this machine, and this one's number among them.
  int local_size() const { return local_size_; }
  int local_rank() const { return local_rank_; }

 private:
  std::shared_ptr<Communicator> world_;
  int local_size_ = 1, local_rank_ = 0;
  int exceptions_ = 0;  // in flight at construction
};

// Ends all ranks of the job with this exit code; does not return.
[[noreturn]] void abort_mpi_job(int code);

}  // namespace ty
