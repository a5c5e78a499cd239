// Ranks as MPI processes. This folder is the only place that knows MPI.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "parallel/comm/communicator.h"

namespace ty {

// True if a launcher (mpirun, srun) started this process as one of several ranks.
bool launched_by_mpi();

// Name and version of the MPI library in use.
std::string mpi_library();

struct MpiOptions {
  // How long a rank waits for the others before it asks who is late; see Group::set_patience().
  double patience_seconds = kDefaultPatience;
  // MPI counts are ints: longer messages travel in pieces.
  std::int64_t max_elements = std::int64_t{1} << 30;
};

// MPI from construction to destruction; one per process. All calls come from one thread. Destroyed
// by an exception, it does not finalise: the others may be waiting inside a collective, and only a
// process that ends without finalising makes the launcher end them too.
class MpiSession {
 public:
  explicit MpiSession(MpiOptions options = {});
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  Group world() const;
  // Ranks of the world on this machine.
  int local_size() const { return local_size_; }

 private:
  std::shared_ptr<Communicator> world_;
  int local_size_ = 1;
  int exceptions_ = 0;  // under way at construction
};

// Ends all ranks of the job with this exit code; does not return.
[[noreturn]] void abort_mpi_job(int code);

}  // namespace ty
