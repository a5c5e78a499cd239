#include "core/backend/cuda/runtime/graph_stream.h"

#include <utility>

#include "core/base/error.h"

namespace ty::cuda::runtime {

namespace {

// The first forward and backward run as without graphs: kernels are loaded and libraries make their
// plans, which may do what cannot be recorded.
constexpr std::int64_t kPlain = 2;
// Executables that are kept; more structures than that do not repeat.
constexpr std::size_t kMost = 256;

constexpr std::uint64_t kNothing = 0xcbf29ce484222325ull;
constexpr std::uint64_t kPrime = 0x100000001b3ull;  // FNV-1a

Stream stream_of(int device) {
  use_device(device);
  return make_stream();
}

}  // namespace

GraphStream::GraphStream(int device, bool gathers)
    : stream_(stream_of(device)), gathers_(gathers) {}

GraphStream::~GraphStream() {
  end();
  for (const auto& [structure, executable] : executables_) destroy_executable(executable);
  destroy_stream(stream_);
}

Stream GraphStream::issue(std::string_view what) {
  if (!failure_.empty()) throw DeviceError("{}", failure_);
  if (!is_open_) return stream_;
  if (!is_recording_) {
    begin_recording(stream_);
    is_recording_ = true;
    structure_ = kNothing;
  }
  for (const char c : what) structure_ = (structure_ ^ static_cast<unsigned char>(c)) * kPrime;
  structure_ = (structure_ ^ ',') * kPrime;
  return stream_;
}

Stream GraphStream::submit() {
  if (!failure_.empty()) throw DeviceError("{}", failure_);
  if (!is_recording_) return stream_;
  try {
    hand_over();
  } catch (const Error& error) {
    failure_ = error.what();
    throw;
  }
  return stream_;
}

void GraphStream::submit_quietly() noexcept {
  try {
    submit();
  } catch (const Error&) {
    // kept in failure_
  }
}

void GraphStream::record(Event event) {
  if (is_recording_) {
    postponed_.push_back(event);
  } else {
    runtime::record(event, stream_);
  }
}

void GraphStream::begin() { is_open_ = gathers_ && ++begun_ > kPlain; }

void GraphStream::end() noexcept {
  submit_quietly();
  is_open_ = false;
}

void GraphStream::hand_over() {
  is_recording_ = false;
  const Graph graph = end_recording(stream_);
  try {
    launch_graph(executable_for(graph), stream_);
  } catch (const Error&) {
    destroy_graph(graph);
    throw;
  }
  destroy_graph(graph);
  ++graphs_;
  for (const Event event : std::exchange(postponed_, {})) runtime::record(event, stream_);
}

GraphExecutable GraphStream::executable_for(Graph graph) {
  const auto found = executables_.find(structure_);
  if (found != executables_.end()) {
    if (update(found->second, graph)) return found->second;
    destroy_executable(found->second);
    executables_.erase(found);
  } else if (executables_.size() == kMost) {
    for (const auto& [structure, executable] : executables_) destroy_executable(executable);
    executables_.clear();
  }
  ++graphs_made_;
  return executables_[structure_] = make_executable(graph);
}

}  // namespace ty::cuda::runtime
