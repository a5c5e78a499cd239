#include "core/base/machine.h"

#include <sched.h>

#include <algorithm>

namespace ty {

int usable_cores() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

int threads_per_process(std::int64_t processes) {
  return static_cast<int>(std::max<std::int64_t>(1, usable_cores() / processes));
}

}  // namespace ty
