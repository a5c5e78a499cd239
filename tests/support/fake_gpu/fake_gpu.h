// FakeGpu: cards, streams, events and NCCL without any, for ranks that are threads of one process.
//
// Memory is the host's. What is put into a stream runs as late as can be: when somebody waits for
// it, and then what it depends on first, of whatever rank. Besides, it looks at what a card would
// not tell: the calls of each communicator are compared over its ranks, streams that wait for each
// other in a circle are found, and so are two accesses to one place, one of them a write, of which
// no event says which comes first (vector clocks: Mattern, Parallel and Distributed Algorithms,
// 1989).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/base/view.h"
#include "parallel/comm/nccl/gpu_libraries.h"

namespace ty::test {

struct FakeStream;
struct FakeMeeting;
using FakeClock = std::map<const FakeStream*, std::int64_t>;  // tasks of each stream

// The first `count` tasks of a stream.
struct FakeTarget {
  FakeStream* stream = nullptr;
  std::int64_t count = 0;
};

struct FakeAccess {
  const std::byte* begin;
  std::size_t bytes;
  bool is_write;
};
FakeAccess fake_read(const void* data, std::size_t bytes);
FakeAccess fake_write(const void* data, std::size_t bytes);
FakeAccess fake_read(const View& x);
FakeAccess fake_write(const View& x);

struct FakeTask {
  std::string name;
  std::function<void()> run = {};
  FakeTarget after = {};                      // of another stream
  std::shared_ptr<FakeMeeting> meeting = {};  // runs once all its ranks are here
};

// A task with what it touches, recorded for later.
struct FakeIssue {
  FakeTask task;
  std::vector<FakeAccess> accesses;
};

struct FakeStream {
  int rank = 0, number = 0;
  std::deque<FakeTask> tasks = {};  // not run yet
  std::int64_t done = 0;
  FakeClock clock = {};                                 // of its last task
  std::optional<std::vector<FakeIssue>> recorded = {};  // while it records
  std::int64_t issued() const { return done + static_cast<std::int64_t>(tasks.size()); }
};

struct FakeEvent {
  FakeTarget target;
  FakeClock clock;
  int looks = 0;
};

class FakeNccl;

// What a card's users forget in bugs of first ports: planted by tests.
struct FakeBugs {
  bool forgets_event_waits = false;  // of one stream for another
  bool forgets_host_waits = false;   // of the host for an event
  bool forgets_updates = false;      // of a graph's executable
};

class FakeGpu {
 public:
  // One at a time. `cards` of one machine; 0: one for each rank.
  explicit FakeGpu(int ranks, int cards = 0);
  ~FakeGpu();
  static std::shared_ptr<const GpuLibraries> libraries();
  static FakeGpu& get();

  // The calling thread is this rank from now on.
  static void enter(int rank);
  static int rank();

  FakeStream* new_stream();
  void put(FakeStream& stream, FakeTask task, const std::vector<FakeAccess>& accesses);
  // What is put into the stream meanwhile does not run. Nothing may look at how far it is.
  void begin_recording(FakeStream& stream);
  std::vector<FakeIssue> end_recording(FakeStream& stream);
  void record(FakeEvent& event, FakeStream& stream);
  void wait(FakeStream& stream, const FakeEvent& event);
  // Runs what can be run for it; whether all of it has.
  bool reach(const FakeTarget& target);
  // The host of the event's rank knows that all before it has run.
  void host_has_seen(const FakeEvent& event);

  // The rank's memory is about to go: waits for all its streams, as freeing memory of a card does.
  // What has not run in `patience_seconds`, because other ranks have left, never will.
  void leave(int rank, double patience_seconds);

  // Nobody needs this memory any more.
  void forget(const void* memory, std::size_t bytes);
  // From now on each task holds what `hold` gives out.
  void hold_in_tasks(std::function<std::shared_ptr<void>()> hold) { hold_ = std::move(hold); }
  int cards() const { return cards_; }
  int ranks() const { return static_cast<int>(issued_.size()); }
  // The names of a rank's tasks, in the order in which they were put into streams.
  std::vector<std::string> issued(int rank) const;

  // What would have gone wrong on a card, one line each.
  std::vector<std::string> faults() const;
  void add_fault(const std::string& fault);

  FakeNccl& nccl() { return *nccl_; }
  std::recursive_mutex& mutex() { return mutex_; }
  FakeBugs bugs;

 private:
  struct Past {
    FakeAccess access;
    const FakeStream* stream;
    std::int64_t at;
    std::string name;
  };
  bool run_first(FakeStream& stream);
  bool run_meeting(FakeStream& stream, const std::shared_ptr<FakeMeeting>& meeting);
  void refuse_while_recording(const FakeStream& stream, const char* call);
  void check_order(const FakeStream& stream, const std::string& name, const FakeAccess& access);

  mutable std::recursive_mutex mutex_;
  std::deque<FakeStream> streams_;
  int cards_;
  std::function<std::shared_ptr<void>()> hold_;
  std::vector<std::vector<std::string>> issued_;  // by rank
  std::vector<int> streams_of_rank_;
  std::vector<FakeClock> host_clocks_;    // by rank
  std::vector<std::vector<Past>> pasts_;  // by rank
  std::vector<const FakeStream*> visited_;
  std::vector<std::string> faults_;
  std::unique_ptr<FakeNccl> nccl_;
};

}  // namespace ty::test
