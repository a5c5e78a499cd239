// Descriptors of cuDNN's backend API: opaque objects that are given attributes and then finalised.
//
// A descriptor refers to others by their handles, so those must outlive it. Every call is checked.
#pragma once

#include <cudnn.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace ty::cudnn {

// Throws DeviceError with the call, the code's name and what cuDNN says about it.
void check(cudnnStatus_t status, const char* call);
#define TY_CUDNN_CALL(call) ::ty::cudnn::check(call, #call)

// What cuDNN said last in this thread, on one line.
std::string last_error();

class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type);

  // Sets an attribute. The element type has to be the one that cuDNN documents for it.
  template <typename T>
  Descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                  std::span<const T> values) {
    return set_raw(name, type, static_cast<std::int64_t>(values.size()), values.data());
  }
  template <typename T>
  Descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                  const T& value) {
    return set_raw(name, type, 1, &value);
  }
  Descriptor& set(cudnnBackendAttributeName_t name, const Descriptor& other) {
    const cudnnBackendDescriptor_t handle = other.get();
    return set_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &handle);
  }
  Descriptor& set(cudnnBackendAttributeName_t name, const std::string& text) {
    return set_raw(name, CUDNN_TYPE_CHAR, static_cast<std::int64_t>(text.size()), text.data());
  }
  void finalize();
  // Finalises, and says whether cuDNN accepts it.
  cudnnStatus_t try_finalize() { return cudnnBackendFinalize(get()); }

  std::int64_t get_int64(cudnnBackendAttributeName_t name) const;
  std::string get_text(cudnnBackendAttributeName_t name) const;

  cudnnBackendDescriptor_t get() const { return handle_.get(); }

 private:
  Descriptor& set_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                      std::int64_t count, const void* values);

  struct Destroy {
    void operator()(cudnnBackendDescriptor_t handle) const {
      cudnnBackendDestroyDescriptor(handle);
    }
  };
  std::unique_ptr<void, Destroy> handle_;
};

}  // namespace ty::cudnn
