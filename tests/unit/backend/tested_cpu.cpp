#include <omp.h>

#include "tests/unit/backend/compare.h"

namespace ty::test {

// Threads are asked for at each call, so this sets them for the process.
std::unique_ptr<Backend> tested_backend(Workers workers) {
  omp_set_num_threads(workers == Workers::few ? 1 : 2);
  return make_cpu_backend();
}

}  // namespace ty::test
