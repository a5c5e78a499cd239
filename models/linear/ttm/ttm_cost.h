// The cost of a pass of a TTM layer: seconds by a model of the machine, and transient bytes. They
// are found by running the pass on a backend that counts instead of computing.
//
// Counting operations would not be enough: a chain at rank 8 has 59 % of the dense layer's
// operations but, consisting of thin products, can take longer. The constants belong to the device
// (core/backend/device_model.h).
#pragma once

#include "core/backend/device_model.h"
#include "models/linear/ttm/ttm_function.h"

namespace ty {

struct PassCost {
  double seconds = 0;
  double flops = 0;            // 2 M N K of all products
  std::int64_t workspace = 0;  // peak bytes, without input and output
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
