// The module's entry: what cuda.cpp asks for after dlopen.
#include "core/backend/cuda/module.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>

#include "core/backend/cuda/device/cuda_backend.h"

namespace ty::cuda {

namespace {

void set_text(char* to, const std::string& text) {
  const std::size_t length = std::min(text.size(), kTextBytes - 1);
  std::memcpy(to, text.data(), length);
  to[length] = '\0';
}

// What a library says of its version. Those that the module is not linked with are looked for where
// it finds its own.
template <typename Version>
Version* function_of(const char* library, const char* name) {
  void* handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
  return handle == nullptr ? nullptr : reinterpret_cast<Version*>(dlsym(handle, name));
}
std::int32_t cudnn_version() {
  auto* version = function_of<std::size_t()>("libcudnn.so.9", "cudnnGetVersion");
  return version == nullptr ? 0 : static_cast<std::int32_t>(version());
}
std::int32_t nccl_version() {
  auto* version = function_of<int(int*)>("libnccl.so.2", "ncclGetVersion");
  int value = 0;
  return version != nullptr && version(&value) == 0 ? value : 0;
}

void report(ModuleReport* to) {
  *to = {};
  const runtime::Probe probe = runtime::probe();
  set_text(to->problem, probe.problem);
  to->devices = probe.devices;
  to->driver = probe.driver;
  to->toolkit = probe.toolkit;
  to->cublas = static_cast<std::int32_t>(blas::library_version());
  to->cudnn = cudnn_version();
  to->nccl = nccl_version();
  if (!probe.problem.empty()) return;
  try {
    const runtime::Properties device = runtime::properties(0);
    set_text(to->device, device.name);
    to->capability = device.capability;
    to->multiprocessors = device.multiprocessors;
    to->memory_bytes = device.memory_bytes;
  } catch (const std::exception& error) {
    set_text(to->problem, error.what());
  }
}

Backend* make_backend(const ModuleOptions* options, char* problem) {
  const runtime::Probe probe = runtime::probe();
  if (!probe.problem.empty()) {
    set_text(problem, probe.problem);
    return nullptr;
  }
  if (options->device >= probe.devices) {
    set_text(problem, "device " + std::to_string(options->device) + ", but there are " +
                          std::to_string(probe.devices));
    return nullptr;
  }
  try {
    return new CudaBackend({.device = options->device,
                            .tf32 = options->tf32,
                            .repeatable = options->repeatable,
                            .graphs = options->graphs});
  } catch (const std::exception& error) {
    set_text(problem, error.what());
    return nullptr;
  }
}

constexpr ModuleTable kTable = {kModuleVersion, sizeof(ModuleTable), report, make_backend};

}  // namespace
}  // namespace ty::cuda

extern "C" __attribute__((visibility("default"))) const ty::cuda::ModuleTable*
trainyard_cuda_module() {
  return &ty::cuda::kTable;
}
