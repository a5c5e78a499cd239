#include "parallel/comm/nccl/gpu_session.h"

#include <sched.h>

#include <algorithm>
#include <exception>

#include "core/base/error.h"

namespace ty {

namespace {

// A step's kernels between two calls are some dozens, and a launch queue holds about a thousand.
constexpr std::size_t kMostUnderWay = 32;

}  // namespace

GpuSession::GpuSession(std::shared_ptr<const GpuLibraries> gpu, DeviceQueue& queue,
                       std::shared_ptr<Watch> watch, double patience_seconds)
    : gpu_(std::move(gpu)),
      queue_(queue),
      watch_(std::move(watch)),
      patience_(patience_seconds),
      free_events_(std::make_shared<std::vector<cudaEvent_t>>()) {
  TY_CUDA_CALL(*gpu_, set_device, queue_.device());
  collectives_ = new_stream();
  queue_.observe_waits(this);
}

GpuSession::~GpuSession() {
  queue_.observe_waits(nullptr);
  under_way_.clear();
  for (const cudaEvent_t event : *free_events_) gpu_->cuda.destroy_event(event);
  for (const cudaStream_t stream : streams_) gpu_->cuda.destroy_stream(stream);
}

cudaStream_t GpuSession::new_stream() {
  constexpr int kHigh = -1;  // what others wait for goes first
  cudaStream_t stream = nullptr;
  TY_CUDA_CALL(*gpu_, create_stream, &stream, cudaStreamNonBlocking, kHigh);
  streams_.push_back(stream);
  return stream;
}

GpuEvent GpuSession::new_event() {
  cudaEvent_t event = nullptr;
  if (free_events_->empty()) {
    TY_CUDA_CALL(*gpu_, create_event, &event, cudaEventDisableTiming);
  } else {
    event = free_events_->back();
    free_events_->pop_back();
  }
  return {event, [gpu = gpu_, pool = std::weak_ptr(free_events_)](cudaEvent_t used) {
            if (const auto alive = pool.lock()) return alive->push_back(used);
            gpu->cuda.destroy_event(used);
          }};
}

GpuEvent GpuSession::after_kernels() {
  GpuEvent event = new_event();
  TY_CUDA_CALL(*gpu_, record_event, event.get(), static_cast<cudaStream_t>(queue_.stream()));
  return event;
}

void GpuSession::make_wait(cudaStream_t stream, const GpuEvent& event) {
  TY_CUDA_CALL(*gpu_, wait_event, stream, event.get(), 0);
}

bool GpuSession::has_ended(const GpuCall& call) const {
  const cudaError_t code = gpu_->cuda.query_event(call.done.get());
  if (code == cudaErrorNotReady) return false;
  check_cuda(*gpu_, code, "CUDA query_event");
  return true;
}

void GpuSession::make_room() {
  if (!failure_.empty()) throw CommError("{}", failure_);
  progress();
  if (under_way_.size() < kMostUnderWay) return;
  const PendingCall oldest = under_way_.front()->what;
  wait_until(oldest, [this] { return under_way_.size() < kMostUnderWay; });
}

void GpuSession::launched(const std::shared_ptr<GpuCall>& call, cudaStream_t stream) {
  call->done = new_event();
  TY_CUDA_CALL(*gpu_, record_event, call->done.get(), stream);
  under_way_.push_back(call);
}

bool GpuSession::test(const GpuCall& call) {
  if (!failure_.empty()) throw CommError("{}", failure_);
  if (!call.failed.empty()) throw CommError("{}", call.failed);
  progress();
  return call.done != nullptr && has_ended(call);
}

void GpuSession::wait(GpuCall& call) {
  if (!failure_.empty()) throw CommError("{}", failure_);
  if (call.done == nullptr && call.failed.empty()) {
    wait_until(call.what, [&] { return call.done != nullptr || !call.failed.empty(); });
  }
  if (!call.failed.empty()) throw CommError("{}", call.failed);
  make_wait(static_cast<cudaStream_t>(queue_.stream()), call.done);
}

void GpuSession::settle(ncclComm_t comm, const PendingCall& what) {
  ncclResult_t state = ncclInProgress;
  const auto is_settled = [&] {
    TY_NCCL_CALL(*gpu_, get_async_error, comm, &state);
    return state != ncclInProgress;
  };
  if (!is_settled()) wait_until(what, is_settled);
  check_nccl(*gpu_, state, what.call);
}

void GpuSession::wait_until(const PendingCall& what, const std::function<bool()>& done) {
  begin();
  for (progress(); !done(); progress()) {
    sched_yield();
    look_for_errors();
    look_at_clock(what, patience_, done);
  }
}

void GpuSession::dismiss(ncclComm_t comm) {
  comms_.erase(comm);
  if (aborted_.erase(comm) != 0) return;
  if (!failure_.empty() || std::uncaught_exceptions() > 0) {
    gpu_->nccl.abort(comm);
  } else {
    gpu_->nccl.destroy(comm);
  }
}

void GpuSession::progress() {
  for (GpuProgress* channel : std::vector(channels_)) channel->progress();
  const auto before = under_way_.size();
  under_way_.remove_if([this](const auto& call) { return has_ended(*call); });
  if (under_way_.size() < before) still_.restart();
}

void GpuSession::begin() {
  still_.restart();
  if (watch_ != nullptr) watch_->begin();
}

void GpuSession::look() {
  progress();
  look_for_errors();
  if (under_way_.empty()) return;
  const std::shared_ptr<GpuCall> oldest = under_way_.front();
  look_at_clock(oldest->what, oldest->patience, [&] {
    progress();
    return under_way_.empty() || under_way_.front() != oldest;
  });
}

void GpuSession::look_for_errors() {
  for (const ncclComm_t comm : comms_) {
    ncclResult_t state = ncclSuccess;
    const ncclResult_t asked = gpu_->nccl.get_async_error(comm, &state);
    const ncclResult_t bad = asked != ncclSuccess ? asked : state;
    if (bad == ncclSuccess || bad == ncclInProgress) continue;
    failure_ = fmt::format("NCCL lost a rank: {}: {}", gpu_->nccl.get_error_string(bad),
                           gpu_->nccl.get_last_error(comm));
    for (const ncclComm_t other : comms_) gpu_->nccl.abort(other);  // ends their kernels
    aborted_.merge(comms_);
    comms_.clear();
    throw CommError("{}", failure_);
  }
}

void GpuSession::look_at_clock(const PendingCall& what, double patience,
                               const std::function<bool()>& done) {
  constexpr double kBetweenQuestions = 0.05;  // seconds
  const double waited = still_.seconds();
  if (waited < std::min(patience, kBetweenQuestions)) return;
  if (watch_ == nullptr) {
    if (waited > patience)
      throw CommError("{}: nothing has moved for {:.1f} s", what.str(), waited);
    return;
  }
  if (waited <= patience) return watch_->attend(what.str());
  for (const auto& call : under_way_) call->patience = patience_;
  watch_->raise(what.str(), waited, done);
  still_.restart();
}

}  // namespace ty
