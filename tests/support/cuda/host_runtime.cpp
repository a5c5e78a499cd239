// The CUDA runtime's part, played by host memory: what is issued runs at once.
#include <cstdlib>
#include <cstring>

#include "core/backend/cuda/kernel/emulated.h"
#include "core/backend/cuda/runtime/api.h"
#include "tests/support/cuda/device_memory.h"

namespace ty::cuda::emulated {

void issue(void*, const std::vector<Operand>&, std::function<void()> run_kernel) { run_kernel(); }

}  // namespace ty::cuda::emulated

namespace ty::cuda::runtime {

namespace {

int token = 0;  // what streams and events point to

}  // namespace

Probe probe() { return {.devices = 1, .problem = {}, .driver = 13000, .toolkit = 13000}; }
Properties properties(int) {
  return {.name = "emulated", .multiprocessors = 2, .capability = 90, .memory_bytes = 1 << 30};
}
std::string bus_id(int) { return "0000:00:00.0"; }
void use_device(int) {}

void* obtain(std::size_t bytes) { return emulated::take_memory(bytes); }
void give_back(void* block) noexcept { emulated::drop_memory(block); }
void* obtain_pinned(std::size_t bytes) { return std::malloc(bytes); }
void give_back_pinned(void* block) noexcept { std::free(block); }

Stream make_stream() { return &token; }
void destroy_stream(Stream) noexcept {}
void wait(Stream) {}
Event make_event() { return &token; }
void destroy_event(Event) noexcept {}
void record(Event, Stream) {}
void order_after(Event, Stream) {}
void wait_on_host(Event) {}
bool has_happened(Event) { return true; }

void copy_to_device(void* device, const void* pinned, std::size_t bytes, Stream) {
  const emulated::Access access;
  std::memcpy(device, pinned, bytes);
}
void copy_to_host(void* pinned, const void* device, std::size_t bytes, Stream) {
  const emulated::Access access;
  std::memcpy(pinned, device, bytes);
}
void copy_on_device(void* to, const void* from, std::size_t bytes, Stream) {
  const emulated::Access access;
  std::memmove(to, from, bytes);
}
void set_zero(void* device, std::size_t bytes, Stream) {
  const emulated::Access access;
  std::memset(device, 0, bytes);
}

void begin_recording(Stream) {}
Graph end_recording(Stream) { return &token; }
std::size_t count_nodes(Graph) { return 0; }
void destroy_graph(Graph) noexcept {}
GraphExecutable make_executable(Graph) { return &token; }
bool update(GraphExecutable, Graph) { return true; }
void launch_graph(GraphExecutable, Stream) {}
void destroy_executable(GraphExecutable) noexcept {}

void check_launch(const char*) {}

}  // namespace ty::cuda::runtime
