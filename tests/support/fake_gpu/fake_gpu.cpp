#include "tests/support/fake_gpu/fake_gpu.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <utility>

#include "core/base/stopwatch.h"
#include "tests/support/fake_gpu/fake_nccl.h"

namespace ty::test {

namespace {

FakeGpu* g_gpu = nullptr;
thread_local int t_rank = -1;

void join(FakeClock& clock, const FakeClock& other) {
  for (const auto& [stream, count] : other) clock[stream] = std::max(clock[stream], count);
}

}  // namespace

FakeAccess fake_read(const void* data, std::size_t bytes) {
  return {static_cast<const std::byte*>(data), bytes, false};
}
FakeAccess fake_write(const void* data, std::size_t bytes) {
  return {static_cast<const std::byte*>(data), bytes, true};
}
FakeAccess fake_read(const View& x) { return fake_read(x.data, x.bytes()); }
FakeAccess fake_write(const View& x) { return fake_write(x.data, x.bytes()); }

FakeGpu::FakeGpu(int ranks, int cards)
    : cards_(cards > 0 ? cards : ranks),
      issued_(static_cast<std::size_t>(ranks)),
      streams_of_rank_(static_cast<std::size_t>(ranks)),
      host_clocks_(static_cast<std::size_t>(ranks)),
      pasts_(static_cast<std::size_t>(ranks)),
      nccl_(std::make_unique<FakeNccl>(*this)) {
  g_gpu = this;
}
FakeGpu::~FakeGpu() { g_gpu = nullptr; }

FakeGpu& FakeGpu::get() { return *g_gpu; }
void FakeGpu::enter(int rank) { t_rank = rank; }
int FakeGpu::rank() { return t_rank; }

FakeStream* FakeGpu::new_stream() {
  const std::lock_guard lock(mutex_);
  const auto rank = static_cast<std::size_t>(t_rank);
  return &streams_.emplace_back(FakeStream{t_rank, streams_of_rank_[rank]++});
}

void FakeGpu::put(FakeStream& stream, FakeTask task, const std::vector<FakeAccess>& accesses) {
  const std::lock_guard lock(mutex_);
  if (stream.recorded) {
    stream.recorded->push_back({std::move(task), accesses});
    return;
  }
  const auto rank = static_cast<std::size_t>(stream.rank);
  join(stream.clock, host_clocks_[rank]);
  for (const FakeAccess& access : accesses) check_order(stream, task.name, access);
  stream.clock[&stream] = stream.issued() + 1;
  for (const FakeAccess& access : accesses) {
    pasts_[rank].push_back({access, &stream, stream.issued() + 1, task.name});
  }
  issued_[rank].push_back(task.name);
  stream.tasks.push_back(std::move(task));
}

void FakeGpu::begin_recording(FakeStream& stream) {
  const std::lock_guard lock(mutex_);
  refuse_while_recording(stream, "another recording");
  stream.recorded.emplace();
}

std::vector<FakeIssue> FakeGpu::end_recording(FakeStream& stream) {
  const std::lock_guard lock(mutex_);
  return *std::exchange(stream.recorded, std::nullopt);
}

void FakeGpu::refuse_while_recording(const FakeStream& stream, const char* call) {
  if (!stream.recorded) return;
  add_fault(fmt::format("rank {}: {} while stream {} records", stream.rank, call, stream.number));
}

void FakeGpu::record(FakeEvent& event, FakeStream& stream) {
  const std::lock_guard lock(mutex_);
  refuse_while_recording(stream, "an event");
  event = {{&stream, stream.issued()}, stream.clock};
}

void FakeGpu::wait(FakeStream& stream, const FakeEvent& event) {
  const std::lock_guard lock(mutex_);
  refuse_while_recording(stream, "a wait");
  if (bugs.forgets_event_waits) return;
  join(stream.clock, event.clock);
  put(stream, {.name = "wait", .after = event.target}, {});
}

void FakeGpu::host_has_seen(const FakeEvent& event) {
  const std::lock_guard lock(mutex_);
  const auto rank = static_cast<std::size_t>(event.target.stream->rank);
  FakeClock& host = host_clocks_[rank];
  join(host, event.clock);
  std::erase_if(pasts_[rank], [&](const Past& past) { return host[past.stream] >= past.at; });
}

void FakeGpu::check_order(const FakeStream& stream, const std::string& name,
                          const FakeAccess& access) {
  for (const Past& past : pasts_[static_cast<std::size_t>(stream.rank)]) {
    const bool overlap = past.access.begin < access.begin + access.bytes &&
                         access.begin < past.access.begin + past.access.bytes;
    if (past.stream == &stream || !overlap || !(past.access.is_write || access.is_write)) continue;
    const auto known = stream.clock.find(past.stream);
    if (known != stream.clock.end() && known->second >= past.at) continue;
    add_fault(
        fmt::format("rank {}: {} in stream {} {} what {} in stream {} {}, and no event orders "
                    "them",
                    stream.rank, name, stream.number, access.is_write ? "writes" : "reads",
                    past.name, past.stream->number, past.access.is_write ? "writes" : "reads"));
  }
}

bool FakeGpu::reach(const FakeTarget& target) {
  const std::lock_guard lock(mutex_);
  FakeStream& stream = *target.stream;
  while (stream.done < target.count) {
    if (stream.tasks.empty()) return false;  // its rank has left
    if (std::find(visited_.begin(), visited_.end(), &stream) != visited_.end()) {
      std::string circle;
      for (const FakeStream* s : visited_) {
        circle += fmt::format("{}rank {} in {}", circle.empty() ? "" : ", ", s->rank,
                              s->tasks.front().name);
      }
      add_fault("streams wait for each other: " + circle);
      return false;
    }
    visited_.push_back(&stream);
    const bool has_run = run_first(stream);
    visited_.pop_back();
    if (!has_run) return false;
  }
  return true;
}

bool FakeGpu::run_first(FakeStream& stream) {
  const FakeTask& task = stream.tasks.front();
  if (task.after.stream != nullptr && !reach(task.after)) return false;
  if (task.meeting != nullptr) return run_meeting(stream, task.meeting);
  if (task.run) {
    const std::shared_ptr<void> held = hold_ ? hold_() : nullptr;
    task.run();
  }
  stream.tasks.pop_front();
  ++stream.done;
  return true;
}

bool FakeGpu::run_meeting(FakeStream& stream, const std::shared_ptr<FakeMeeting>& meeting) {
  const std::shared_ptr<FakeMeeting> alive = meeting;
  if (alive->is_off()) {
    stream.tasks.pop_front();
    ++stream.done;
    return true;
  }
  if (!alive->is_complete()) return false;
  for (const FakePart& part : alive->parts) {
    if (part.at.stream != &stream && !reach({part.at.stream, part.at.count - 1})) return false;
  }
  {
    const std::shared_ptr<void> held = hold_ ? hold_() : nullptr;
    alive->run();
  }
  for (const FakePart& part : alive->parts) {
    part.at.stream->tasks.pop_front();
    ++part.at.stream->done;
  }
  return true;
}

void FakeGpu::leave(int rank, double patience_seconds) {
  const Stopwatch watch;
  for (bool all = false; !all; sched_yield()) {
    const std::lock_guard lock(mutex_);
    all = true;
    for (FakeStream& stream : streams_) {
      if (stream.rank != rank) continue;
      refuse_while_recording(stream, "a wait of the host, or memory given back,");
      if (!reach({&stream, stream.issued()}) && watch.seconds() > patience_seconds) {
        for (const FakeTask& task : stream.tasks) {
          if (task.meeting != nullptr) task.meeting->has_lost_a_rank = true;
        }
        stream.tasks.clear();
      }
      all &= stream.tasks.empty();
    }
  }
}

void FakeGpu::forget(const void* memory, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto* begin = static_cast<const std::byte*>(memory);
  for (std::vector<Past>& pasts : pasts_) {
    std::erase_if(pasts, [&](const Past& past) {
      return past.access.begin >= begin && past.access.begin < begin + bytes;
    });
  }
}

std::vector<std::string> FakeGpu::issued(int rank) const {
  const std::lock_guard lock(mutex_);
  return issued_[static_cast<std::size_t>(rank)];
}

std::vector<std::string> FakeGpu::faults() const {
  const std::lock_guard lock(mutex_);
  return faults_;
}

void FakeGpu::add_fault(const std::string& fault) {
  const std::lock_guard lock(mutex_);
  if (std::find(faults_.begin(), faults_.end(), fault) == faults_.end()) faults_.push_back(fault);
}

}  // namespace ty::test
