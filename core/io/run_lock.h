// Ensures that at most one job works on a run directory.
#pragma once

#include <functional>
#include <string>

#include "core/io/file.h"

namespace ty {

// Locks the run directory from construction to destruction. The system releases the lock if the
// process dies, so it is never stale.
class RunLock {
 public:
  // The ranks of a killed job take a second or two to exit, so this waits a few seconds for the
  // lock; `waiting` is called once with its holder. Throws UsageError that names the holder if the
  // lock is still held.
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

// True if a job is working on the run directory now. Takes the lock for an instant to find out.
bool is_locked(const Path& run_directory);

}  // namespace ty
