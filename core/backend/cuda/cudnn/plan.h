// Plan: a graph compiled to kernels for one kind of device. Takes 0.5 to 2 s of one core.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/backend/cuda/cudnn/device_properties.h"
#include "core/backend/cuda/cudnn/graph.h"

namespace ty::cudnn {

class Plan {
 public:
  // The first of cuDNN's proposals that compiles. Nothing if none does; `refusal` then says why.
  static std::optional<Plan> compile(const Graph& graph, const DeviceProperties& device,
                                     std::string& refusal);

  // A plan that json() has given out, for the same device and version of cuDNN: no compilation.
  static Plan load(const std::string& json, const DeviceProperties& device);

  std::int64_t workspace_bytes() const { return workspace_bytes_; }
  // The compiled plan as a text, for this version of cuDNN alone.
  std::string json() const;
  const Descriptor& descriptor() const { return descriptor_; }

 private:
  explicit Plan(Descriptor descriptor)
      : descriptor_(std::move(descriptor)),
        workspace_bytes_(descriptor_.get_int64(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE)) {}

  Descriptor descriptor_;
  std::int64_t workspace_bytes_;
};

}  // namespace ty::cudnn
