// The calls of the CUDA runtime that the backend makes (core/backend/cuda/runtime/cudart.cpp), on a
// FakeGpu. Launches of kernels come the emulator's way and are put into streams like copies.
#include <cuda_runtime_api.h>
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "core/backend/cuda/kernel/emulated.h"
#include "tests/support/cuda/device_memory.h"
#include "tests/support/fake_gpu/cuda_on_fake.h"
#include "tests/support/fake_gpu/fake_gpu.h"

namespace ty::test {

namespace {

using cuda::emulated::Access;

FakeGpu& gpu() { return FakeGpu::get(); }
FakeStream& stream_of(cudaStream_t stream) { return *reinterpret_cast<FakeStream*>(stream); }
FakeEvent& event_of(cudaEvent_t event) { return *reinterpret_cast<FakeEvent*>(event); }

using FakeGraph = std::vector<FakeIssue>;  // executables are such copies
FakeGraph& graph_of(void* graph) { return *static_cast<FakeGraph*>(graph); }
// Of the same kernels and copies, in the same order.
bool have_same_structure(const FakeGraph& a, const FakeGraph& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.task.name == y.task.name; });
}

// Sizes of what cudaMalloc has handed out.
std::map<void*, std::size_t>& blocks() {
  static std::map<void*, std::size_t> all;
  return all;
}

thread_local std::string t_kernel = "kernel";

// Of bytes that nobody may change while a copy is under way.
std::uint64_t hash_of(const void* data, std::size_t bytes) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (std::size_t i = 0; i < bytes; ++i) {
    hash = (hash ^ static_cast<const std::uint8_t*>(data)[i]) * 0x100000001b3ull;
  }
  return hash;
}

void copy_from_host(void* to, const void* from, std::size_t bytes, FakeStream& stream) {
  const std::uint64_t sent = hash_of(from, bytes);
  const auto run = [=] {
    if (hash_of(from, bytes) != sent) {
      gpu().add_fault("host memory was changed before a copy to the device had read it");
    }
    std::memcpy(to, from, bytes);
  };
  gpu().put(stream, {.name = "copy to device", .run = run}, {fake_write(to, bytes)});
}

}  // namespace

NamedKernels::NamedKernels(const char* name) : before_(std::exchange(t_kernel, name)) {}
NamedKernels::~NamedKernels() { t_kernel = before_; }

}  // namespace ty::test

namespace ty::cuda::emulated {

// Where an operand ends only the backend's caller knows (declaring_backend.h): here it is one byte.
void issue(void* stream, const std::vector<Operand>& operands, std::function<void()> run_kernel) {
  std::vector<test::FakeAccess> accesses;
  for (const Operand& operand : operands) {
    accesses.push_back(operand.is_written ? test::fake_write(operand.data, 1)
                                          : test::fake_read(operand.data, 1));
  }
  test::gpu().put(*static_cast<test::FakeStream*>(stream),
                  {.name = "kernel of " + test::t_kernel, .run = std::move(run_kernel)}, accesses);
}

}  // namespace ty::cuda::emulated

using ty::test::FakeEvent;
using ty::test::FakeGpu;
using ty::test::FakeStream;

extern "C" {

cudaError_t cudaRuntimeGetVersion(int* version) { return *version = 13000, cudaSuccess; }
cudaError_t cudaDriverGetVersion(int* version) { return *version = 13000, cudaSuccess; }
cudaError_t cudaGetLastError() { return cudaSuccess; }
const char* cudaGetErrorName(cudaError_t) { return "a fake's error"; }
const char* cudaGetErrorString(cudaError_t code) {
  return code == cudaErrorInvalidDevice ? "invalid device ordinal" : "a fake's error";
}

cudaError_t cudaGetDeviceCount(int* count) { return *count = FakeGpu::get().cards(), cudaSuccess; }
cudaError_t cudaSetDevice(int device) {
  return device >= 0 && device < FakeGpu::get().cards() ? cudaSuccess : cudaErrorInvalidDevice;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  *properties = {};
  std::strncpy(properties->name, "fake", sizeof properties->name - 1);
  properties->major = 9;
  properties->totalGlobalMem = std::size_t{1} << 30;
  return cudaSetDevice(device);
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int device) {
  *value = 2;  // multiprocessors
  return cudaSetDevice(device);
}
cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int device) {
  std::snprintf(text, static_cast<std::size_t>(length), "0000:%02x:00.0", device);
  return cudaSetDevice(device);
}

cudaError_t cudaMalloc(void** block, std::size_t bytes) {
  const std::lock_guard lock(FakeGpu::get().mutex());
  *block = ty::cuda::emulated::take_memory(bytes);
  if (*block == nullptr) return cudaErrorMemoryAllocation;
  ty::test::blocks()[*block] = bytes;
  return cudaSuccess;
}
// Waits for the device, as the real one does.
cudaError_t cudaFree(void* block) {
  constexpr double kPatience = 5.0;  // seconds
  FakeGpu& gpu = FakeGpu::get();
  gpu.leave(FakeGpu::rank(), kPatience);
  const std::lock_guard lock(gpu.mutex());
  gpu.forget(block, ty::test::blocks()[block]);
  ty::test::blocks().erase(block);
  ty::cuda::emulated::drop_memory(block);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** block, std::size_t bytes) {
  *block = std::malloc(bytes);
  return *block == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}
cudaError_t cudaFreeHost(void* block) { return std::free(block), cudaSuccess; }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = reinterpret_cast<cudaStream_t>(FakeGpu::get().new_stream());
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  constexpr double kPatience = 5.0;  // seconds; then other ranks have left
  FakeGpu::get().leave(ty::test::stream_of(stream).rank, kPatience);
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = reinterpret_cast<cudaEvent_t>(new FakeEvent);
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete &ty::test::event_of(event);
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  FakeGpu::get().record(ty::test::event_of(event), ty::test::stream_of(stream));
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  return FakeGpu::get().libraries()->cuda.query_event(event);
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (FakeGpu::get().bugs.forgets_host_waits) return cudaSuccess;
  while (cudaEventQuery(event) == cudaErrorNotReady) sched_yield();
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  FakeGpu::get().wait(ty::test::stream_of(stream), ty::test::event_of(event));
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t handle) {
  FakeStream& stream = ty::test::stream_of(handle);
  if (kind == cudaMemcpyHostToDevice) {
    ty::test::copy_from_host(to, from, bytes, stream);
    return cudaSuccess;
  }
  const bool to_host = kind == cudaMemcpyDeviceToHost;
  std::vector<ty::test::FakeAccess> accesses = {ty::test::fake_read(from, bytes)};
  if (!to_host) accesses.push_back(ty::test::fake_write(to, bytes));
  FakeGpu::get().put(
      stream,
      {.name = to_host ? "copy to host" : "copy", .run = [=] { std::memmove(to, from, bytes); }},
      accesses);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream) {
  FakeGpu::get().put(ty::test::stream_of(stream),
                     {.name = "set", .run = [=] { std::memset(memory, value, bytes); }},
                     {ty::test::fake_write(memory, bytes)});
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  FakeGpu::get().begin_recording(ty::test::stream_of(stream));
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  auto* recorded =
      new ty::test::FakeGraph(FakeGpu::get().end_recording(ty::test::stream_of(stream)));
  *graph = reinterpret_cast<cudaGraph_t>(recorded);
  return cudaSuccess;
}
cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t*, std::size_t* count) {
  *count = ty::test::graph_of(graph).size();
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete &ty::test::graph_of(graph);
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  *executable =
      reinterpret_cast<cudaGraphExec_t>(new ty::test::FakeGraph(ty::test::graph_of(graph)));
  return cudaSuccess;
}
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t executable, cudaGraph_t graph,
                                cudaGraphExecUpdateResultInfo* why) {
  *why = {};
  const ty::test::FakeGraph& now = ty::test::graph_of(graph);
  if (!ty::test::have_same_structure(ty::test::graph_of(executable), now)) {
    return cudaErrorGraphExecUpdateFailure;
  }
  if (!FakeGpu::get().bugs.forgets_updates) ty::test::graph_of(executable) = now;
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  for (const ty::test::FakeIssue& issue : ty::test::graph_of(executable)) {
    FakeGpu::get().put(ty::test::stream_of(stream), issue.task, issue.accesses);
  }
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete &ty::test::graph_of(executable);
  return cudaSuccess;
}

}  // extern "C"
