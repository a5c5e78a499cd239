// What this process knows about its place in the job before any communicator exists, and the only
// way in which it reports a failure.
#pragma once

#include <cstdint>

#include "launch/process/failure.h"

namespace ty {

// Updated while a job runs, so that the report of a failure can say where it happened and end the
// other ranks.
struct RankStatus {
  int rank = 0;
  int size = 1;
  std::int64_t step = -1;                 // the one under way, from 1; -1: none has begun
  void (*abort_job)(int code) = nullptr;  // ends all ranks; null for a job of one
};

// Prints one line per error on stderr, `trainyard: [rank R step S] REASON`, ends the other ranks of
// the job, and returns the exit code. An error common to all ranks is printed by one of them.
int report_failure(const RankStatus& status, const Failure& failure);

}  // namespace ty
