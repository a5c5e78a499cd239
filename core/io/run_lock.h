// At most one job works on a run directory.
#pragma once

#include "core/io/file.h"

namespace ty {

// Holds the run directory from construction to destruction; the system lets go of it by itself if
// the process dies, so a lock is never stale.
class RunLock {
 public:
  // Throws UsageError, naming the other job, if somebody holds it.
  explicit RunLock(const Path& run_directory);
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;
  ~RunLock();

 private:
  int descriptor_;
};

// True if a job works on the run directory right now. Holds the lock for an instant to find out.
bool is_locked(const Path& run_directory);

}  // namespace ty
