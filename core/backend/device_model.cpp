#include "core/backend/device_model.h"

namespace ty {

WorkShape host_work_shape(int workers) {
  // A quarter MiB in fp32: all that a piece goes through stays in a core's cache.
  return {.workers = workers, .piece_numbers = std::int64_t{1} << 16, .least_rows = 8};
}

// Fitted to measured passes of many shapes (tools/bench/README.md). They were all in fp32; other
// types are taken to cost the same.
CostModel host_cost_model(DType) {
  return {.flops_per_second = 200e9,
          .half_rows = 4,
          .half_columns = 4,
          .half_inner = 12,
          .bytes_per_second = 48e9,
          .run_seconds = 0.5e-9,
          .call_seconds = 1e-6};
}

DeviceModel host_device(int workers) {
  return {host_work_shape(workers), host_cost_model(DType::f32)};
}

}  // namespace ty
