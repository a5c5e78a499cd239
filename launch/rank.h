// What this process knows of its place in the job before any communicator exists, and the one way
// in which it reports that it failed.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/error.h"

namespace ty {

// Filled in while a job runs, so that a failure can say where it happened and end the other ranks.
struct RankStatus {
  int rank = 0;
  int size = 1;
  std::int64_t step = -1;                 // -1: no step has begun
  void (*abort_job)(int code) = nullptr;  // ends all ranks; null for a job of one
};

// Prints one line per error on stderr, `trainyard: [rank R step S] REASON`, ends the other ranks of
// the job, and returns the exit code.
int report_failure(const RankStatus& status, ExitCode code, std::string_view reason);

}  // namespace ty
