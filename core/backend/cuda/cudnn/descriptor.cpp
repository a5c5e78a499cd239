#include "core/backend/cuda/cudnn/descriptor.h"

#include <algorithm>
#include <array>

#include "core/base/error.h"

namespace ty::cudnn {

std::string last_error() {
  std::array<char, 512> text = {};
  cudnnGetLastErrorString(text.data(), text.size() - 1);
  std::string line = text.data();
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

void check(cudnnStatus_t status, const char* call) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  throw DeviceError("{}: {} {}: {}", call, static_cast<int>(status), cudnnGetErrorString(status),
                    last_error());
}

Descriptor::Descriptor(cudnnBackendDescriptorType_t type) {
  cudnnBackendDescriptor_t handle = nullptr;
  TY_CUDNN_CALL(cudnnBackendCreateDescriptor(type, &handle));
  handle_.reset(handle);
}

Descriptor& Descriptor::set_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                                std::int64_t count, const void* values) {
  const cudnnStatus_t status = cudnnBackendSetAttribute(get(), name, type, count, values);
  if (status != CUDNN_STATUS_SUCCESS) {
    throw DeviceError("cudnnBackendSetAttribute({}): {}: {}", static_cast<int>(name),
                      cudnnGetErrorString(status), last_error());
  }
  return *this;
}

void Descriptor::finalize() { TY_CUDNN_CALL(cudnnBackendFinalize(get())); }

std::int64_t Descriptor::get_int64(cudnnBackendAttributeName_t name) const {
  std::int64_t value = 0, count = 0;
  TY_CUDNN_CALL(cudnnBackendGetAttribute(get(), name, CUDNN_TYPE_INT64, 1, &count, &value));
  return value;
}

std::string Descriptor::get_text(cudnnBackendAttributeName_t name) const {
  std::int64_t size = 0;
  TY_CUDNN_CALL(cudnnBackendGetAttribute(get(), name, CUDNN_TYPE_CHAR, 0, &size, nullptr));
  std::string text(static_cast<std::size_t>(size), '\0');
  TY_CUDNN_CALL(cudnnBackendGetAttribute(get(), name, CUDNN_TYPE_CHAR, size, &size, text.data()));
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

}  // namespace ty::cudnn
