#include "launch/run/device.h"

#include "core/backend/cuda/cuda.h"
#include "core/base/error.h"

namespace ty {

namespace {

// Without a driver there is nothing that the module could find, and opening it takes time.
bool can_use_cuda() { return has_cuda_driver() && cuda_status().problem.empty(); }

bool takes_cuda(DeviceChoice device) {
  if (device == DeviceChoice::automatic) return can_use_cuda();
  return device == DeviceChoice::cuda;
}

}  // namespace

void check_device(DeviceChoice device) {
  if (device != DeviceChoice::cuda) return;
  const CudaStatus status = cuda_status();
  if (status.problem.empty()) return;
  if (status.module.empty()) {
    throw ConfigError(Key{"run.device"}, "cuda is not part of this build; use cpu or auto");
  }
  throw ConfigError(Key{"run.device"}, "cuda: {}; use cpu or auto", status.problem);
}

std::unique_ptr<Backend> make_backend(DeviceChoice device, Reduction reduction) {
  check_device(device);
  if (takes_cuda(device)) return make_cuda_backend();
  return make_cpu_backend(reduction == Reduction::canonical ? Products::fixed : Products::fastest);
}

std::string device_note(DeviceChoice device) {
  if (device != DeviceChoice::automatic) return {};
  const bool has_driver = has_cuda_driver(), has_module = !cuda_module().empty();
  if (has_driver && has_module) return cuda_status().problem;
  if (has_module) return "no driver (libcuda.so.1)";
  return has_driver ? "CUDA is not part of this build" : "";
}

}  // namespace ty
