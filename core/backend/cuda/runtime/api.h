// The calls of the CUDA runtime that the backend makes, in types of our own: cudart.cpp makes them,
// and where there is no GPU the tests' fake does (tests/support/cuda/). Nothing here is declared
// twice and no other file of the backend names the runtime, launches of kernels apart.
//
// All throw DeviceError with the call, the runtime's name for the fault and its text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace ty::cuda::runtime {

using Stream = void*;
using Event = void*;
using Graph = void*;            // work that was recorded
using GraphExecutable = void*;  // what the device runs of it

// Which devices there are, and why none can be used. Throws nothing.
struct Probe {
  int devices = 0;
  std::string problem;  // empty: device 0 can be used
  int driver = 0;       // the newest CUDA version it knows, as 13000 for 13.0; 0: no driver
  int toolkit = 0;      // version of the runtime library
};
Probe probe();

struct Properties {
  std::string name;
  int multiprocessors = 0;
  int capability = 0;  // 90 for 9.0
  std::int64_t memory_bytes = 0;
};
Properties properties(int device);
// Where the device sits in its machine: "0000:1b:00.0".
std::string bus_id(int device);
// Of the calling thread, for all that follows.
void use_device(int device);

// nullptr if there is no room.
void* obtain(std::size_t bytes);
void give_back(void* block) noexcept;
// Page-locked host memory, which copies can read and write while the host goes on.
void* obtain_pinned(std::size_t bytes);
void give_back_pinned(void* block) noexcept;

Stream make_stream();
void destroy_stream(Stream stream) noexcept;
// Waits until everything issued on the stream has finished.
void wait(Stream stream);

Event make_event();
void destroy_event(Event event) noexcept;
// The event happens when what was issued on the stream so far has finished.
void record(Event event, Stream stream);
void order_after(Event event,
                 Stream stream);  // what is issued on the stream next comes after the event
void wait_on_host(Event event);
// Whether it has happened. Does not wait.
bool has_happened(Event event);

// In the order of the stream; the host goes on. Host memory must be pinned.
void copy_to_device(void* device, const void* pinned, std::size_t bytes, Stream stream);
void copy_to_host(void* pinned, const void* device, std::size_t bytes, Stream stream);
void copy_on_device(void* to, const void* from, std::size_t bytes, Stream stream);
void set_zero(void* device, std::size_t bytes, Stream stream);

// What is issued on the stream from here on is recorded and does not run. Until the end the stream
// takes no waits, and no event of it is recorded.
void begin_recording(Stream stream);
Graph end_recording(Stream stream);
// Kernels, copies and what else it has.
std::size_t count_nodes(Graph graph);
void destroy_graph(Graph graph) noexcept;
GraphExecutable make_executable(Graph graph);
// Takes over what the graph's kernels and copies are given. False: it has others, or in another
// order.
bool update(GraphExecutable executable, Graph graph);
void launch_graph(GraphExecutable executable, Stream stream);
// What it was launched for before still runs.
void destroy_executable(GraphExecutable executable) noexcept;

// Throws if a launch before was refused; `what` names it.
void check_launch(const char* what);

}  // namespace ty::cuda::runtime
