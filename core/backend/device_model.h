// What is known about a device besides its kernels: how to partition work for it, and what work
// costs.
//
// Functions above the kernels plan with it. The numbers are compiled in, not measured at each
// start, so that the same job makes the same plans, and gives the same bits, in every run.
#pragma once

#include <cstdint>

#include "core/base/dtype.h"

namespace ty {

struct WorkShape {
  // Pieces of work that can run side by side; 1: a kernel is given the whole device. How many there
  // are must not decide the order of additions.
  int workers = 1;
  std::int64_t piece_numbers = 0;  // fp32 numbers that stay in a worker's cache; 0: no cuts
  std::int64_t least_rows = 1;     // of a piece: with fewer, products are too thin
};

// The model accounts for thin products and small pieces running below the rate of large ones:
// counting operations alone would choose slower plans.
struct CostModel {
  double flops_per_second = 0;  // of large products
  // A product M x N x K runs at the fraction M/(M + m) N/(N + n) K/(K + k) of that rate.
  double half_rows = 0, half_columns = 0, half_inner = 0;
  // Permuting copies: read and written bytes together, and runs that lie together in both views.
  double bytes_per_second = 0;
  double run_seconds = 0;
  double call_seconds = 0;  // of one kernel call, or one product of a batch
};

struct DeviceModel {
  WorkShape work;
  CostModel costs;
};

// For the host backends, running with so many threads.
WorkShape host_work_shape(int workers);
CostModel host_cost_model(DType dtype);
DeviceModel host_device(int workers);

}  // namespace ty
