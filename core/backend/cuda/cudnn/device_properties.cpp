#include "core/backend/cuda/cudnn/device_properties.h"

namespace ty::cudnn {

DeviceProperties::DeviceProperties(const std::string& json) : DeviceProperties() {
  descriptor_.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, json);
  descriptor_.finalize();
}

DeviceProperties DeviceProperties::of_device(int device) {
  DeviceProperties properties;
  properties.descriptor_.set(CUDNN_ATTR_DEVICEPROP_DEVICE_ID, CUDNN_TYPE_INT32,
                             static_cast<std::int32_t>(device));
  properties.descriptor_.finalize();
  return properties;
}

std::string DeviceProperties::json() const {
  return descriptor_.get_text(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION);
}

}  // namespace ty::cudnn
