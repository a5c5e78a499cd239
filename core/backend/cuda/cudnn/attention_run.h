// Runs plans on a device. Not yet run anywhere: there was no device.
#pragma once

#include <memory>
#include <span>

#include "core/backend/cuda/cudnn/attention_plans.h"

namespace ty::cudnn {

// cuDNN's state for one stream.
class Handle {
 public:
  // stream: a cudaStream_t. Throws DeviceError without a device.
  explicit Handle(cudaStream_t stream);
  cudnnHandle_t get() const { return handle_.get(); }

 private:
  struct Destroy {
    void operator()(cudnnHandle_t handle) const { cudnnDestroy(handle); }
  };
  std::unique_ptr<cudnnContext, Destroy> handle_;
};

// The operands of a run: a binding for each tensor of the plan's graph, and no other. Throws
// InternalError if one is missing. Refers to the plan's numbers.
Descriptor operands(const AttentionPlan& plan, std::span<const Binding> bindings, void* workspace);

// Puts a run into the handle's stream. See AttentionNeeds for what has to be zero.
void run(const Handle& handle, const AttentionPlan& plan, std::span<const Binding> bindings,
         void* workspace);

}  // namespace ty::cudnn
