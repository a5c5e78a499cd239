// What this process may use of the machine that it runs on.
#pragma once

#include <cstdint>

namespace ty {

// Cores that the scheduler lets this process run on, at least 1; not all that the machine has.
int usable_cores();
// Threads for each of `processes` that share those cores evenly, at least 1.
int threads_per_process(std::int64_t processes);

}  // namespace ty
