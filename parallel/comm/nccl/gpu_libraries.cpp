#include "parallel/comm/nccl/gpu_libraries.h"

#include <dlfcn.h>

#include <string>

#include "core/base/error.h"

namespace ty {

namespace {

// A library by its name, else where it was found when this was built.
class Library {
 public:
  Library(const char* name, const char* built_with) : name_(name) {
    handle_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (handle_ == nullptr) handle_ = dlopen(built_with, RTLD_NOW | RTLD_LOCAL);
    if (handle_ == nullptr) {
      throw ConfigError(Key{"parallel.transport"},
                        "nccl wants {}, which is not here; install it or use mpi", name);
    }
  }
  template <typename Function>
  void get(Function& function, const char* symbol) const {
    function = reinterpret_cast<Function>(dlsym(handle_, symbol));
    if (function != nullptr) return;
    throw ConfigError(Key{"parallel.transport"}, "nccl wants {}, but {} has it not", symbol, name_);
  }

 private:
  std::string name_;
  void* handle_;  // never closed: the libraries keep threads
};

#define TY_TEXT(x) #x
#define TY_TEXT_OF(x) TY_TEXT(x)

std::shared_ptr<const GpuLibraries> open() {
  const Library nccl("libnccl.so." TY_TEXT_OF(NCCL_MAJOR), TY_NCCL_LIBRARY);
  const std::string runtime = "libcudart.so." + std::to_string(CUDART_VERSION / 1000);
  const Library cuda(runtime.c_str(), TY_CUDART_LIBRARY);
  auto gpu = std::make_shared<GpuLibraries>();
  NcclFunctions& n = gpu->nccl;
  nccl.get(n.get_version, "ncclGetVersion");
  nccl.get(n.get_unique_id, "ncclGetUniqueId");
  nccl.get(n.init_rank, "ncclCommInitRankConfig");
  nccl.get(n.split, "ncclCommSplit");
  nccl.get(n.get_async_error, "ncclCommGetAsyncError");
  nccl.get(n.abort, "ncclCommAbort");
  nccl.get(n.destroy, "ncclCommDestroy");
  nccl.get(n.get_error_string, "ncclGetErrorString");
  nccl.get(n.get_last_error, "ncclGetLastError");
  nccl.get(n.all_reduce, "ncclAllReduce");
  nccl.get(n.all_gather, "ncclAllGather");
  nccl.get(n.reduce_scatter, "ncclReduceScatter");
  nccl.get(n.broadcast, "ncclBroadcast");
  nccl.get(n.send, "ncclSend");
  nccl.get(n.receive, "ncclRecv");
  CudaFunctions& c = gpu->cuda;
  cuda.get(c.set_device, "cudaSetDevice");
  cuda.get(c.get_error_string, "cudaGetErrorString");
  cuda.get(c.create_stream, "cudaStreamCreateWithPriority");
  cuda.get(c.destroy_stream, "cudaStreamDestroy");
  cuda.get(c.create_event, "cudaEventCreateWithFlags");
  cuda.get(c.destroy_event, "cudaEventDestroy");
  cuda.get(c.record_event, "cudaEventRecord");
  cuda.get(c.query_event, "cudaEventQuery");
  cuda.get(c.wait_event, "cudaStreamWaitEvent");
  cuda.get(c.copy, "cudaMemcpyAsync");
  return gpu;
}

}  // namespace

std::shared_ptr<const GpuLibraries> open_gpu_libraries() {
  static const std::shared_ptr<const GpuLibraries> gpu = open();
  return gpu;
}

void check_nccl(const GpuLibraries& gpu, ncclResult_t code, const char* call) {
  if (code == ncclSuccess || code == ncclInProgress) return;
  throw CommError("{}: {}: {}", call, gpu.nccl.get_error_string(code),
                  gpu.nccl.get_last_error(nullptr));
}

void check_cuda(const GpuLibraries& gpu, cudaError_t code, const char* call) {
  if (code == cudaSuccess) return;
  throw CommError("{}: {}", call, gpu.cuda.get_error_string(code));
}

}  // namespace ty
