// Ranks as threads of one process: for tests, sanitizers and debugging. Reductions add in rank
// order. What would hang under MPI is an error here: calls that do not match, and waiting for a
// rank that has failed or ended.
#pragma once

#include <functional>

#include "parallel/comm/communicator.h"

namespace ty {

// Runs body(world) on `size` threads at once. If one throws, the others' communication throws
// CommError instead of waiting, and the first exception leaves run_ranks.
void run_ranks(int size, const std::function<void(Group world)>& body,
               double patience_seconds = kDefaultPatience);

}  // namespace ty
