// Requests to stop: SIGTERM, SIGUSR1, SIGINT and SIGHUP (unless ignored, as under nohup) ask for a
// checkpoint and an orderly exit after the step on which the ranks agree; a second signal ends the
// process at once.
#pragma once

#include "core/base/error.h"

namespace ty {

// Installs the handlers for the lifetime of the object. One object per process.
class StopRequests {
 public:
  StopRequests();
  ~StopRequests();
  StopRequests(const StopRequests&) = delete;
  StopRequests& operator=(const StopRequests&) = delete;

  // The signal that this process received, or 0.
  int signal() const;
};

// The exit code of a job that was stopped by this signal.
ExitCode exit_code_of(int signal);

}  // namespace ty
