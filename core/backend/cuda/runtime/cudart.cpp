#include <cuda_runtime_api.h>

#include <cstdint>

#include "core/backend/cuda/runtime/api.h"
#include "core/base/error.h"

namespace ty::cuda::runtime {

namespace {

[[noreturn]] void refuse(cudaError_t code, const char* call) {
  throw DeviceError("cuda: {}: {}: {}", call, cudaGetErrorName(code), cudaGetErrorString(code));
}
void check(cudaError_t code, const char* call) {
  if (code == cudaSuccess) return;
  cudaGetLastError();  // some faults stay until they are read
  refuse(code, call);
}
#define TY_CUDA_CALL(call) check(call, #call)

cudaStream_t of(Stream stream) { return static_cast<cudaStream_t>(stream); }
cudaEvent_t of_event(Event event) { return static_cast<cudaEvent_t>(event); }
cudaGraph_t of_graph(Graph graph) { return static_cast<cudaGraph_t>(graph); }
cudaGraphExec_t of_executable(GraphExecutable executable) {
  return static_cast<cudaGraphExec_t>(executable);
}

int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  TY_CUDA_CALL(cudaDeviceGetAttribute(&value, which, device));
  return value;
}

}  // namespace

Probe probe() {
  Probe result;
  cudaRuntimeGetVersion(&result.toolkit);
  cudaDriverGetVersion(&result.driver);
  // Without a driver the count is left as it was.
  const cudaError_t code = cudaGetDeviceCount(&result.devices);
  if (code != cudaSuccess) {
    cudaGetLastError();
    result.devices = 0;
    result.problem = result.driver == 0 ? "no driver (libcuda.so.1)" : cudaGetErrorString(code);
  } else if (result.devices == 0) {
    result.problem = "no device";
  }
  return result;
}

Properties properties(int device) {
  cudaDeviceProp all{};
  TY_CUDA_CALL(cudaGetDeviceProperties(&all, device));
  return {.name = all.name,
          .multiprocessors = attribute(cudaDevAttrMultiProcessorCount, device),
          .capability = 10 * all.major + all.minor,
          .memory_bytes = static_cast<std::int64_t>(all.totalGlobalMem)};
}

std::string bus_id(int device) {
  char text[32] = {};
  TY_CUDA_CALL(cudaDeviceGetPCIBusId(text, sizeof text, device));
  return text;
}

void use_device(int device) { TY_CUDA_CALL(cudaSetDevice(device)); }

void* obtain(std::size_t bytes) {
  void* block = nullptr;
  const cudaError_t code = cudaMalloc(&block, bytes);
  if (code != cudaErrorMemoryAllocation) check(code, "cudaMalloc");
  cudaGetLastError();
  return code == cudaSuccess ? block : nullptr;
}
void give_back(void* block) noexcept { cudaFree(block); }

void* obtain_pinned(std::size_t bytes) {
  void* block = nullptr;
  TY_CUDA_CALL(cudaMallocHost(&block, bytes));
  return block;
}
void give_back_pinned(void* block) noexcept { cudaFreeHost(block); }

Stream make_stream() {
  cudaStream_t stream = nullptr;
  TY_CUDA_CALL(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  return stream;
}
void destroy_stream(Stream stream) noexcept { cudaStreamDestroy(of(stream)); }
void wait(Stream stream) { TY_CUDA_CALL(cudaStreamSynchronize(of(stream))); }

Event make_event() {
  cudaEvent_t event = nullptr;
  TY_CUDA_CALL(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
  return event;
}
void destroy_event(Event event) noexcept { cudaEventDestroy(of_event(event)); }
void record(Event event, Stream stream) {
  TY_CUDA_CALL(cudaEventRecord(of_event(event), of(stream)));
}
void order_after(Event event, Stream stream) {
  TY_CUDA_CALL(cudaStreamWaitEvent(of(stream), of_event(event), 0));
}
void wait_on_host(Event event) { TY_CUDA_CALL(cudaEventSynchronize(of_event(event))); }
bool has_happened(Event event) {
  const cudaError_t code = cudaEventQuery(of_event(event));
  if (code == cudaErrorNotReady) return false;
  check(code, "cudaEventQuery");
  return true;
}

void copy_to_device(void* device, const void* pinned, std::size_t bytes, Stream stream) {
  TY_CUDA_CALL(cudaMemcpyAsync(device, pinned, bytes, cudaMemcpyHostToDevice, of(stream)));
}
void copy_to_host(void* pinned, const void* device, std::size_t bytes, Stream stream) {
  TY_CUDA_CALL(cudaMemcpyAsync(pinned, device, bytes, cudaMemcpyDeviceToHost, of(stream)));
}
void copy_on_device(void* to, const void* from, std::size_t bytes, Stream stream) {
  TY_CUDA_CALL(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, of(stream)));
}
void set_zero(void* device, std::size_t bytes, Stream stream) {
  TY_CUDA_CALL(cudaMemsetAsync(device, 0, bytes, of(stream)));
}

// Relaxed: memory is taken, and libraries load kernels, meanwhile.
void begin_recording(Stream stream) {
  TY_CUDA_CALL(cudaStreamBeginCapture(of(stream), cudaStreamCaptureModeRelaxed));
}
Graph end_recording(Stream stream) {
  cudaGraph_t graph = nullptr;
  TY_CUDA_CALL(cudaStreamEndCapture(of(stream), &graph));
  return graph;
}
std::size_t count_nodes(Graph graph) {
  std::size_t count = 0;
  TY_CUDA_CALL(cudaGraphGetNodes(of_graph(graph), nullptr, &count));
  return count;
}
void destroy_graph(Graph graph) noexcept { cudaGraphDestroy(of_graph(graph)); }
GraphExecutable make_executable(Graph graph) {
  cudaGraphExec_t executable = nullptr;
  TY_CUDA_CALL(cudaGraphInstantiate(&executable, of_graph(graph), 0));
  return executable;
}
bool update(GraphExecutable executable, Graph graph) {
  cudaGraphExecUpdateResultInfo why{};
  const cudaError_t code = cudaGraphExecUpdate(of_executable(executable), of_graph(graph), &why);
  if (code != cudaErrorGraphExecUpdateFailure) check(code, "cudaGraphExecUpdate");
  cudaGetLastError();
  return code == cudaSuccess;
}
void launch_graph(GraphExecutable executable, Stream stream) {
  TY_CUDA_CALL(cudaGraphLaunch(of_executable(executable), of(stream)));
}
void destroy_executable(GraphExecutable executable) noexcept {
  cudaGraphExecDestroy(of_executable(executable));
}

void check_launch(const char* what) { check(cudaGetLastError(), what); }

}  // namespace ty::cuda::runtime
