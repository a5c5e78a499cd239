// What a pass of a TTM layer costs: seconds by a model of the machine, and transient bytes. The
// pass itself is run, on a backend that counts instead of computing.
//
// The model knows that thin products and small pieces run below the rate of large ones; a count of
// operations alone would choose plans that are slower (a chain at rank 8 has 59 % of the dense
// layer's operations and, made of thin products, can take longer). Its constants were fitted to
// measured passes of many shapes (tools/bench/README.md). They are part of the program, not
// measured at each start, so that the same job takes the same plans, and gives the same bits, on
// every run.
#pragma once

#include "models/linear/ttm/ttm_function.h"

namespace ty {

struct CostModel {
  double flops_per_second = 200e9;  // of large products
  // A product M x N x K runs at the fraction M/(M + m) N/(N + n) K/(K + k) of that rate.
  double half_rows = 4, half_columns = 4, half_inner = 12;
  // Permuting copies: read and written bytes together, and runs that lie together in both views.
  double bytes_per_second = 48e9;
  double run_seconds = 0.5e-9;
  double call_seconds = 1e-6;  // of one kernel call, or one product of a batch
};

struct PassCost {
  double seconds = 0;
  double flops = 0;            // 2 M N K of all products
  std::int64_t workspace = 0;  // bytes at the worst moment, input and output excluded
};

PassCost cost_of(const TtmPass& forward, const TtmMap& map, std::int64_t rows,
                 const CostModel& model = {});
PassCost cost_of(const BackwardPass& backward, const TtmMap& map, std::int64_t rows,
                 const CostModel& model = {});

// The same for the dense layer of the same size.
struct LayerCost {
  PassCost forward, backward;
};
LayerCost dense_layer_cost(const TtmMap& map, std::int64_t rows, const CostModel& model = {});

}  // namespace ty
