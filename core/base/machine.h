// The share of the machine that this process may use.
#pragma once

#include <cstdint>

namespace ty {

// Cores on which the scheduler lets this process run (its affinity mask), at least 1; there may be
// more in the machine.
int usable_cores();
// Threads for each of `processes` processes that share those cores evenly, at least 1.
int threads_per_process(std::int64_t processes);

}  // namespace ty
