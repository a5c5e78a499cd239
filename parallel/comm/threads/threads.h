// Ranks as threads of one process: for tests, sanitizers and debugging. Reductions add in rank
// order. What would hang under MPI is an error here: mismatched calls, and waiting for a rank that
// has failed or ended.
#pragma once

#include <functional>

#include "parallel/comm/communicator.h"

namespace ty {

// Runs body(world) on `size` threads at once. If one throws, communication of the others throws
// CommError instead of waiting, and run_ranks rethrows the first exception.
void run_ranks(int size, const std::function<void(Group world)>& body,
               double patience_seconds = kDefaultPatience);

}  // namespace ty
