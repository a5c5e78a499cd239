// Polite requests to stop: SIGTERM, SIGUSR1, SIGINT and SIGHUP (unless it is ignored, as under
// nohup) ask for a checkpoint and an orderly end at the next agreed step; a second one of them ends
// the process at once.
#pragma once

#include "core/base/error.h"

namespace ty {

// Installs the handlers for the object's lifetime. One object per process.
class StopRequests {
 public:
  StopRequests();
  ~StopRequests();
  StopRequests(const StopRequests&) = delete;
  StopRequests& operator=(const StopRequests&) = delete;

  // The signal that arrived here, or 0.
  int signal() const;
};

// How a job ends that was stopped by this signal.
ExitCode exit_code_of(int signal);

}  // namespace ty
