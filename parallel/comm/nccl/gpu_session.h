// GpuSession: what all NCCL groups of one rank share: the stream of collectives, the calls that are
// under way, and how a wait for another rank ends.
//
// Order. A call starts after all kernels that were issued before it, by an event of the backend's
// stream; waiting for it makes that stream wait, not the host. All collectives of a rank, of all
// groups, run in one stream in the order in which they were issued: two groups that were busy at
// once, in another order on another rank, could wait for each other for ever. Messages have streams
// of their own (message_channel.h).
//
// Deadlines. A rank that never comes leaves kernels waiting, and the host finds out where it waits
// for the device: there look() is called, which names who is late, and throws. So that the host
// never waits inside of a full launch queue instead, it runs only a number of calls ahead.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/backend/device_queue.h"
#include "core/base/stopwatch.h"
#include "parallel/comm/nccl/gpu_libraries.h"
#include "parallel/comm/pending_call.h"
#include "parallel/comm/watch.h"

namespace ty {

// One event of the device, given back to the session's pool when nobody holds it any more.
using GpuEvent = std::shared_ptr<CUevent_st>;

struct GpuCall {
  PendingCall what;
  GpuEvent done;       // null: not launched yet
  double patience;     // seconds
  std::string failed;  // why it can never end, if so
};

// What a message channel has still to do; see GpuSession::progress().
class GpuProgress {
 public:
  virtual ~GpuProgress() = default;
  virtual void progress() = 0;
};

class GpuSession final : public WaitObserver {
 public:
  // queue outlives this; watch may be null.
  GpuSession(std::shared_ptr<const GpuLibraries> gpu, DeviceQueue& queue,
             std::shared_ptr<Watch> watch, double patience_seconds);
  GpuSession(const GpuSession&) = delete;
  GpuSession& operator=(const GpuSession&) = delete;
  ~GpuSession() override;

  const GpuLibraries& gpu() const { return *gpu_; }
  double patience() const { return patience_; }
  void set_patience(double seconds) { patience_ = seconds; }
  cudaStream_t collectives() const { return collectives_; }
  // A stream for as long as this lives.
  cudaStream_t new_stream();

  // An event after all kernels that the backend has issued so far.
  GpuEvent after_kernels();
  void make_wait(cudaStream_t stream, const GpuEvent& event);

  // Throws CommError if a call has failed before; waits while too many calls are under way.
  void make_room();
  // To be called once all of a call has been put into the stream.
  void launched(const std::shared_ptr<GpuCall>& call, cudaStream_t stream);
  // Makes progress; whether the call has ended.
  bool test(const GpuCall& call);
  // Makes the backend's stream wait for the call; the host only until it is launched.
  void wait(GpuCall& call);

  // Of a communicator that is being made, split or given a call: until NCCL has taken it.
  void settle(ncclComm_t comm, const PendingCall& what);
  // Makes progress until done() is true. Throws CommError that names the late ranks.
  void wait_until(const PendingCall& what, const std::function<bool()>& done);

  // Communicators are looked at for errors while they are enrolled.
  void enrol(ncclComm_t comm) { comms_.insert(comm); }
  // Frees it once; where its kernels may never end, by abort.
  void dismiss(ncclComm_t comm);
  void add(GpuProgress* channel) { channels_.push_back(channel); }
  void remove(GpuProgress* channel) { std::erase(channels_, channel); }

  void begin() override;
  void look() override;

 private:
  void progress();
  // Throws if a communicator has an error; frees them all then.
  void look_for_errors();
  void look_at_clock(const PendingCall& what, double patience, const std::function<bool()>& done);
  bool has_ended(const GpuCall& call) const;
  GpuEvent new_event();

  std::shared_ptr<const GpuLibraries> gpu_;
  DeviceQueue& queue_;
  std::shared_ptr<Watch> watch_;
  double patience_;
  cudaStream_t collectives_ = nullptr;
  std::vector<cudaStream_t> streams_;
  std::shared_ptr<std::vector<cudaEvent_t>> free_events_;
  std::list<std::shared_ptr<GpuCall>> under_way_;  // launched, in that order
  std::vector<GpuProgress*> channels_;
  std::set<ncclComm_t> comms_, aborted_;
  std::string failure_;
  Stopwatch still_;  // since something has moved or a wait began
};

#define TY_NCCL_CALL(gpu, function, ...) \
  ::ty::check_nccl(gpu, (gpu).nccl.function(__VA_ARGS__), "NCCL " #function)
#define TY_CUDA_CALL(gpu, function, ...) \
  ::ty::check_cuda(gpu, (gpu).cuda.function(__VA_ARGS__), "CUDA " #function)

}  // namespace ty
