// What plans are compiled for: the properties of a device, as a text that cuDNN reads and writes,
// so that plans can be made on a machine without it. Needs cuDNN 9.8 or newer.
#pragma once

#include <string>

#include "core/backend/cuda/cudnn/descriptor.h"

namespace ty::cudnn {

class DeviceProperties {
 public:
  // From cuDNN's JSON of a device.
  explicit DeviceProperties(const std::string& json);
  // Of a device of this machine. Throws DeviceError if there is none.
  static DeviceProperties of_device(int device);

  std::string json() const;
  const Descriptor& descriptor() const { return descriptor_; }

 private:
  DeviceProperties() : descriptor_(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR) {}

  Descriptor descriptor_;
};

}  // namespace ty::cudnn
