// The functions of NCCL and of the CUDA runtime that this folder calls, opened at run time: a
// binary without these libraries starts as fast as ever, and tests bring functions of their own.
#pragma once

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <memory>

namespace ty {

struct NcclFunctions {
  decltype(&::ncclGetVersion) get_version = nullptr;
  decltype(&::ncclGetUniqueId) get_unique_id = nullptr;
  decltype(&::ncclCommInitRankConfig) init_rank = nullptr;
  decltype(&::ncclCommSplit) split = nullptr;
  decltype(&::ncclCommGetAsyncError) get_async_error = nullptr;
  decltype(&::ncclCommAbort) abort = nullptr;
  decltype(&::ncclCommDestroy) destroy = nullptr;
  decltype(&::ncclGetErrorString) get_error_string = nullptr;
  decltype(&::ncclGetLastError) get_last_error = nullptr;
  decltype(&::ncclAllReduce) all_reduce = nullptr;
  decltype(&::ncclAllGather) all_gather = nullptr;
  decltype(&::ncclReduceScatter) reduce_scatter = nullptr;
  decltype(&::ncclBroadcast) broadcast = nullptr;
  decltype(&::ncclSend) send = nullptr;
  decltype(&::ncclRecv) receive = nullptr;
};

struct CudaFunctions {
  decltype(&::cudaSetDevice) set_device = nullptr;
  decltype(&::cudaGetErrorString) get_error_string = nullptr;
  decltype(&::cudaStreamCreateWithPriority) create_stream = nullptr;
  decltype(&::cudaStreamDestroy) destroy_stream = nullptr;
  decltype(&::cudaEventCreateWithFlags) create_event = nullptr;
  decltype(&::cudaEventDestroy) destroy_event = nullptr;
  decltype(&::cudaEventRecord) record_event = nullptr;
  decltype(&::cudaEventQuery) query_event = nullptr;
  decltype(&::cudaStreamWaitEvent) wait_event = nullptr;
  cudaError_t (*copy)(void*, const void*, std::size_t, cudaMemcpyKind, cudaStream_t) = nullptr;
};

struct GpuLibraries {
  NcclFunctions nccl;
  CudaFunctions cuda;
};

// Opens the installed libraries, once per process. Throws ConfigError that names what is missing.
std::shared_ptr<const GpuLibraries> open_gpu_libraries();

// Throw CommError with the call, the code's text and what NCCL said last.
void check_nccl(const GpuLibraries& gpu, ncclResult_t code, const char* call);
void check_cuda(const GpuLibraries& gpu, cudaError_t code, const char* call);

}  // namespace ty
