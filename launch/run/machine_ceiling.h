// The best rates of this machine: the reference for every speed that we print.
#pragma once

#include "core/backend/backend.h"

namespace ty {

struct MachineCeiling {
  double gemm_flops_per_second = 0;  // best large fp32 product
  double copy_bytes_per_second = 0;  // read + written, out of cache
};

// Measures for about `seconds` with the current number of threads.
MachineCeiling measure_ceiling(Backend& backend, double seconds);

// Bytes of a contiguous view in host memory that all threads together read in a second, by a plain
// loop: the best of a time budget.
double read_rate(const View& x, double seconds);

}  // namespace ty
