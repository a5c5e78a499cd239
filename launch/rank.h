// What this process knows of its place in the job before any communicator exists, and the one way
// in which it reports that it failed.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/error.h"

namespace ty {

// Filled in while a job runs, so that a failure can say where it happened and end the other ranks.
struct RankStatus {
  int rank = 0;
  int size = 1;
  std::int64_t step = -1;                 // the one under way, from 1; -1: none has begun
  void (*abort_job)(int code) = nullptr;  // ends all ranks; null for a job of one
};

struct Failure {
  ExitCode code = ExitCode::ok;
  std::string key;     // of the job file, if the error is at one
  std::string reason;  // begins with the key
};

// What the exception that is being handled means to a user: an error of ours says it itself, those
// of the system and of the standard library get their exit code here. Call in a catch block.
Failure current_failure();
// Throws the Error that was such a failure, here or on another rank.
[[noreturn]] void rethrow(const Failure& failure);

// Prints one line per error on stderr, `trainyard: [rank R step S] REASON`, ends the other ranks of
// the job, and returns the exit code. Of an error that all ranks have, one line is enough.
int report_failure(const RankStatus& status, const Failure& failure);

}  // namespace ty
