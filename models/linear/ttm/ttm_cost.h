// What a pass of a TTM layer costs: seconds by a model of the machine, and transient bytes. The
// pass itself is run, on a backend that counts instead of computing.
//
// Operations alone would not do: a chain at rank 8 has 59 % of the dense layer's and, made of thin
// products, can take longer. The constants are the device's (core/backend/device_model.h).
#pragma once

#include "core/backend/device_model.h"
#include "models/linear/ttm/ttm_function.h"

namespace ty {

struct PassCost {
  double seconds = 0;
  double flops = 0;            // 2 M N K of all products
  std::int64_t workspace = 0;  // bytes at the worst moment, input and output excluded
};

PassCost cost_of(const TtmPass& forward, const TtmLayer& layer, std::int64_t rows,
                 const DeviceModel& device = host_device(2));
PassCost cost_of(const BackwardPass& backward, const TtmLayer& layer, std::int64_t rows,
                 const DeviceModel& device = host_device(2));

// The same for the dense layer of the same size.
struct LayerCost {
  PassCost forward, backward;
};
LayerCost dense_layer_cost(const TtmLayer& layer, std::int64_t rows,
                           const DeviceModel& device = host_device(2));

}  // namespace ty
