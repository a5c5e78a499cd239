#include "core/backend/cuda/cuda.h"

#include <dlfcn.h>
#include <unistd.h>

#include <filesystem>

#include "core/backend/cuda/module.h"
#include "core/base/error.h"

namespace ty {

// Beside the program, or where an installation puts it.
std::string cuda_module() {
  std::error_code none;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", none);
  if (none) return {};
  for (const char* folder : {".", "../lib", "../lib/trainyard"}) {
    const auto path = (program.parent_path() / folder / cuda::kModuleFile).lexically_normal();
    if (std::filesystem::exists(path, none)) return path.string();
  }
  return {};
}

namespace {

struct Module {
  std::string path, problem;
  const cuda::ModuleTable* table = nullptr;
};

Module open_module() {
  Module module;
  module.path = cuda_module();
  if (module.path.empty()) {
    module.problem = "CUDA is not part of this build";
    return module;
  }
  void* handle = dlopen(module.path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    module.problem = dlerror();  // names the missing library
    return module;
  }
  const auto entry = reinterpret_cast<cuda::ModuleEntry>(dlsym(handle, cuda::kModuleEntry));
  const cuda::ModuleTable* table = entry == nullptr ? nullptr : entry();
  if (table == nullptr || table->version != cuda::kModuleVersion ||
      table->size != sizeof(cuda::ModuleTable)) {
    module.problem = module.path + ": of another version of trainyard; build both together";
    return module;
  }
  module.table = table;
  return module;
}

// Once per process: a module stays open, since its kernels and libraries cannot be unloaded safely.
const Module& opened_module() {
  static const Module module = open_module();
  return module;
}

}  // namespace

bool has_cuda_driver() {
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver != nullptr) dlclose(driver);
  return driver != nullptr;
}

CudaStatus cuda_status() {
  const Module& module = opened_module();
  CudaStatus status;
  status.problem = module.problem;
  status.module = module.path;
  status.has_driver = has_cuda_driver();
  if (module.table == nullptr) return status;
  cuda::ModuleReport report{};
  module.table->report(&report);
  status.problem = report.problem;
  status.device = report.device;
  status.devices = report.devices;
  status.driver = report.driver;
  status.toolkit = report.toolkit;
  status.cublas = report.cublas;
  status.cudnn = report.cudnn;
  status.nccl = report.nccl;
  status.capability = report.capability;
  status.multiprocessors = report.multiprocessors;
  status.memory_bytes = report.memory_bytes;
  return status;
}

std::unique_ptr<Backend> make_cuda_backend(const CudaOptions& options) {
  const Module& module = opened_module();
  if (module.table == nullptr) throw ConfigError("{}", module.problem);
  const cuda::ModuleOptions wanted{.device = options.device,
                                   .tf32 = false,
                                   .repeatable = options.repeatable,
                                   .graphs = options.graphs};
  char problem[cuda::kTextBytes] = {};
  std::unique_ptr<Backend> backend(module.table->make_backend(&wanted, problem));
  if (backend == nullptr) throw ConfigError("{}", problem);
  return backend;
}

}  // namespace ty
