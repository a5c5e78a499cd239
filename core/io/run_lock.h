// At most one job works on a run directory.
#pragma once

#include <functional>
#include <string>

#include "core/io/file.h"

namespace ty {

// Holds the run directory from construction to destruction; the system lets go of it by itself if
// the process dies, so a lock is never stale.
class RunLock {
 public:
  // Ranks of a job that was killed take a second or two to go, so that a lock is waited for a few
  // seconds; `waiting` is told once who holds it. Throws UsageError that names the holder if it is
  // held still.
  using Waiting = std::function<void(const std::string& holder)>;
  RunLock(const Path& run_directory, const Waiting& waiting);
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  struct Descriptor {
    ~Descriptor();
    int number = -1;
  };
  Descriptor descriptor_;
};

// True if a job works on the run directory right now. Holds the lock for an instant to find out.
bool is_locked(const Path& run_directory);

}  // namespace ty
