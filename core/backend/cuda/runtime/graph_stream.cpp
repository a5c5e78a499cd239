#include "core/backend/cuda/runtime/graph_stream.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace ty::cuda::runtime {

namespace {

// Executables that are kept; more structures than that do not repeat.
constexpr std::size_t kMost = 128;

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
  drop_executables();
  destroy_stream(stream_);
}

Stream GraphStream::issue(std::string_view what) {
  if (!failure_.empty()) throw DeviceError("{}", failure_);
  if (!is_open_) return stream_;
  if (!is_recording_) {
    begin_recording(stream_);
    is_recording_ = true;
    names_ = kNothing;
  }
  for (const char c : what) names_ = (names_ ^ static_cast<unsigned char>(c)) * kPrime;
  names_ = (names_ ^ ',') * kPrime;
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

void GraphStream::submit_for(Event event) {
  if (std::find(postponed_.begin(), postponed_.end(), event) != postponed_.end()) submit();
}

// A first of its kind loads kernels, and libraries make their plans: that may do what cannot be
// recorded.
void GraphStream::begin(std::string_view kind) {
  is_open_ = gathers_ && !known_.emplace(kind).second;
}

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
  const std::uint64_t structure = (names_ ^ count_nodes(graph)) * kPrime;
  const auto found = executables_.find(structure);
  if (found != executables_.end()) {
    if (update(found->second, graph)) return found->second;
    destroy_executable(found->second);
    executables_.erase(found);
  } else if (executables_.size() == kMost) {
    drop_executables();
  }
  ++graphs_made_;
  GraphExecutable made = nullptr;
  try {
    made = make_executable(graph);
  } catch (const DeviceError&) {  // perhaps for memory, of which executables have some
    drop_executables();
    made = make_executable(graph);
  }
  executables_.emplace(structure, made);
  return made;
}

void GraphStream::drop_executables() noexcept {
  for (const auto& [structure, executable] : executables_) destroy_executable(executable);
  executables_.clear();
}

}  // namespace ty::cuda::runtime
