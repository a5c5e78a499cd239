#include "parallel/comm/threads/threads.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>

#include "core/base/error.h"
#include "parallel/comm/mailbox.h"
#include "parallel/comm/roll_call.h"
#include "parallel/comm/self/self.h"

namespace ty {

namespace {

using Bytes = std::vector<std::byte>;

// What all groups of one run_ranks() share. Its mutex guards every piece of state below.
struct World {
  explicit World(int size) : has_ended(size, false) {}
  std::mutex mutex;
  std::condition_variable changed;
  std::exception_ptr first_error;
  std::optional<int> failed;    // the first rank that threw
  std::vector<bool> has_ended;  // ranks whose body has returned
};

struct Room;

// One collective of one group. Ranks bring copies, so nobody has to wait for others to have read;
// the last to arrive works out the result, in rank order.
struct Call {
  std::string what;  // call, op, count, dtype: must agree
  std::vector<std::optional<Bytes>> inputs;
  int arrived = 0;
  bool done = false;
  Bytes result;
  std::map<int, std::shared_ptr<Room>> children;  // of a split, by color
};

// What the ranks of one group share.
struct Room {
  Room(std::shared_ptr<World> w, std::vector<int> m) : world(std::move(w)), members(std::move(m)) {}
  std::shared_ptr<World> world;
  std::vector<int> members;                             // ranks of the world
  std::map<std::int64_t, std::shared_ptr<Call>> calls;  // by sequence number, not all arrived
  Mailbox mail;
};

// Waits, or looks, until ready() holds; blames the rank that makes it impossible. `missing(r)`:
// does this wait need rank r of the group to do something more?
class Waiting : public Work::State {
 public:
  bool test() final {
    std::lock_guard lock(room_->world->mutex);
    return finish_if_ready();
  }
  void wait(double patience_seconds) final {
    std::unique_lock lock(room_->world->mutex);
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::duration<double>(patience_seconds);
    while (!finish_if_ready()) {
      if (room_->world->changed.wait_until(lock, deadline) == std::cv_status::timeout &&
          !finish_if_ready()) {
        throw CommError("{}", roll_call(patience_seconds).verdict());
      }
    }
  }

 protected:
  Waiting(std::shared_ptr<Room> room, int own) : room_(std::move(room)), own_(own) {}
  virtual bool ready() const = 0;
  virtual bool missing(int rank) const = 0;
  virtual void finish() = 0;
  virtual std::string describe() const = 0;
  const std::shared_ptr<Room>& room() const { return room_; }

 private:
  // What is ready is given out even after a failure elsewhere.
  bool finish_if_ready() {
    if (done_) return true;
    if (ready()) {
      finish();
      return done_ = true;
    }
    const World& world = *room_->world;
    if (world.failed) throw CommError("{}: rank {} of the world failed", describe(), *world.failed);
    for (std::size_t r = 0; r < room_->members.size(); ++r) {
      if (missing(static_cast<int>(r)) && world.has_ended[room_->members[r]]) {
        throw CommError("{}: rank {} has ended without it", describe(), r);
      }
    }
    return false;
  }
  // Ranks that this wait does not miss are taken to wait for the same.
  RollCall roll_call(double waited_seconds) const {
    RollCall roll(room_->members, room_->members[own_], describe(), waited_seconds);
    for (std::size_t r = 0; r < room_->members.size(); ++r) {
      if (!missing(static_cast<int>(r))) roll.answer(room_->members[r], describe());
    }
    return roll;
  }

  std::shared_ptr<Room> room_;
  int own_;  // rank in the group
  bool done_ = false;
};

class Collective final : public Waiting {
 public:
  // When done, out receives the result's bytes from `offset` on.
  Collective(std::shared_ptr<Room> room, int own, std::shared_ptr<Call> call,
             const CommMemory& memory, const View& out, std::size_t offset)
      : Waiting(std::move(room), own),
        call_(std::move(call)),
        memory_(memory),
        out_(out),
        offset_(offset) {}

 private:
  bool ready() const override { return call_->done; }
  bool missing(int rank) const override { return !call_->inputs[rank]; }
  void finish() override { memory_.write(out_, call_->result.data() + offset_); }
  std::string describe() const override {
    return fmt::format("{} among {} ranks", call_->what, room()->members.size());
  }

  std::shared_ptr<Call> call_;
  CommMemory memory_;
  View out_;
  std::size_t offset_;
};

class Receive final : public Waiting {
 public:
  Receive(std::shared_ptr<Room> room, Mailbox::Ticket ticket, const CommMemory& memory,
          const View& x)
      : Waiting(std::move(room), ticket.address.to), ticket_(ticket), memory_(memory), x_(x) {}

 private:
  bool ready() const override { return room()->mail.has(ticket_); }
  bool missing(int rank) const override { return rank == ticket_.address.from; }
  void finish() override { room()->mail.take(ticket_, x_, memory_); }
  std::string describe() const override {
    return fmt::format("receive of {} x {} with tag {} from rank {}", x_.numel(), name_of(x_.dtype),
                       ticket_.address.tag, ticket_.address.from);
  }

  Mailbox::Ticket ticket_;
  CommMemory memory_;
  View x_;
};

View empty_view() { return contiguous_view(nullptr, DType::f32, {0}); }

// Combines what all ranks brought, in rank order.
auto reduction(ReduceOp op, DType dtype) {
  return [op, dtype](Call& call) {
    call.result = std::move(*call.inputs[0]);
    const auto count = static_cast<std::int64_t>(call.result.size() / size_of(dtype));
    for (std::size_t r = 1; r < call.inputs.size(); ++r) {
      combine(op, contiguous_view(call.result.data(), dtype, {count}),
              contiguous_view(call.inputs[r]->data(), dtype, {count}));
    }
  };
}

class ThreadCommunicator final : public Communicator {
 public:
  ThreadCommunicator(std::shared_ptr<Room> room, int rank, std::shared_ptr<double> patience,
                     const CommMemory& memory = {})
      : Communicator(rank, static_cast<int>(room->members.size())),
        room_(std::move(room)),
        patience_(std::move(patience)),
        memory_(memory) {}
  void set_patience(double seconds) override { *patience_ = seconds; }

 private:
  Work do_all_reduce(const View& x, ReduceOp op) override {
    return meet(describe("all_reduce", name_of(op), x), memory_.bytes_of(x), reduction(op, x.dtype),
                x, 0);
  }

  Work do_all_gather(const View& all, const View& own) override {
    const auto concatenate = [](Call& call) {
      for (const auto& input : call.inputs) {
        call.result.insert(call.result.end(), input->begin(), input->end());
      }
    };
    return meet(describe("all_gather", "", own), memory_.bytes_of(own), concatenate, all, 0);
  }

  Work do_reduce_scatter(const View& own, const View& all, ReduceOp op) override {
    const std::size_t offset = own.bytes() * static_cast<std::size_t>(rank());
    return meet(describe("reduce_scatter", name_of(op), all), memory_.bytes_of(all),
                reduction(op, all.dtype), own, offset);
  }

  Work do_broadcast(const View& x, int root) override {
    const auto from_root = [root](Call& call) { call.result = *call.inputs[root]; };
    return meet(describe("broadcast", fmt::format("from {}", root), x), memory_.bytes_of(x),
                from_root, x, 0);
  }

  Work do_send(const View& x, int peer, int tag) override {
    Bytes bytes = memory_.bytes_of(x);
    std::lock_guard lock(world().mutex);
    check_alive("send");
    room_->mail.put({rank(), peer, tag}, x.dtype, std::move(bytes));
    world().changed.notify_all();
    return {};
  }

  Work do_receive(const View& x, int peer, int tag) override {
    std::lock_guard lock(world().mutex);
    check_alive("receive");
    const Mailbox::Ticket ticket = room_->mail.post_receive({peer, rank(), tag});
    return {std::make_unique<Receive>(room_, ticket, memory_, x), *patience_};
  }

  void do_barrier() override {
    meet(
        "barrier", Bytes(), [](Call&) {}, empty_view(), 0)
        .wait();
  }

  std::shared_ptr<Communicator> do_split(int color, int key) override {
    const std::shared_ptr<Room> room = join(color, key);
    if (color < 0 || room->members.size() == 1) return std::make_shared<SelfCommunicator>(memory_);
    const auto own = std::find(room->members.begin(), room->members.end(), room_->members[rank()]);
    return std::make_shared<ThreadCommunicator>(room, static_cast<int>(own - room->members.begin()),
                                                patience_, memory_);
  }

  std::shared_ptr<Communicator> do_on(Backend& backend) override {
    return std::make_shared<ThreadCommunicator>(join(0, rank()), rank(), patience_,
                                                CommMemory(backend));
  }

  // The room of the ranks that bring this color.
  std::shared_ptr<Room> join(int color, int key) {
    std::int32_t wish[2] = {color, key};
    std::shared_ptr<Call> call;
    const auto make_rooms = [this](Call& c) {
      std::map<int, std::vector<std::pair<int, int>>> wishes;  // by color: key, rank here
      for (std::size_t r = 0; r < c.inputs.size(); ++r) {
        std::int32_t other[2];
        std::memcpy(other, c.inputs[r]->data(), sizeof(other));
        wishes[other[0]].emplace_back(other[1], static_cast<int>(r));
      }
      for (auto& [other_color, order] : wishes) {
        std::sort(order.begin(), order.end());
        std::vector<int> members;
        for (const auto& wished : order) members.push_back(room_->members[wished.second]);
        c.children[other_color] = std::make_shared<Room>(room_->world, std::move(members));
      }
    };
    const View brought = contiguous_view(wish, DType::i32, {2});
    meet("split", CommMemory().bytes_of(brought), make_rooms, empty_view(), 0, &call).wait();
    return call->children.at(color);
  }

  World& world() const { return *room_->world; }
  static std::string describe(const char* call, std::string_view how, const View& x) {
    return fmt::format("{}({}) of {} x {}", call, how, x.numel(), name_of(x.dtype));
  }
  void check_alive(std::string_view what) const {
    if (world().failed) throw CommError("{}: rank {} of the world failed", what, *world().failed);
  }

  // Brings `input` to the group's next collective. The last rank to come runs
  // complete(call), outside of the lock, and frees the inputs.
  template <typename Complete>
  Work meet(const std::string& what, Bytes input, Complete complete, const View& out,
            std::size_t offset, std::shared_ptr<Call>* joined = nullptr) {
    const std::int64_t number = sequence_++;
    std::unique_lock lock(world().mutex);
    check_alive(what);
    auto& slot = room_->calls[number];
    if (slot == nullptr) {
      slot = std::make_shared<Call>();
      slot->what = what;
      slot->inputs.resize(room_->members.size());
    } else if (slot->what != what) {
      throw CommError("collective {} of the group: rank {} calls {}, another rank {}", number,
                      rank(), what, slot->what);
    }
    const std::shared_ptr<Call> call = slot;
    call->inputs[rank()] = std::move(input);
    if (++call->arrived == size()) {
      room_->calls.erase(number);
      lock.unlock();
      complete(*call);
      lock.lock();
      for (auto& bytes : call->inputs) *bytes = Bytes();
      call->done = true;
      world().changed.notify_all();
    }
    if (joined != nullptr) *joined = call;
    return {std::make_unique<Collective>(room_, rank(), call, memory_, out, offset), *patience_};
  }

  std::shared_ptr<Room> room_;
  std::shared_ptr<double> patience_;  // seconds; of this rank, in all its groups
  CommMemory memory_;                 // of what is sent and received
  std::int64_t sequence_ = 0;
};

}  // namespace

void run_ranks(int size, const std::function<void(Group world)>& body, double patience_seconds) {
  TY_CHECK(size >= 1, "{} ranks", size);
  const auto world = std::make_shared<World>(size);
  std::vector<int> everybody(size);
  std::iota(everybody.begin(), everybody.end(), 0);
  const auto room = std::make_shared<Room>(world, everybody);
  const auto fail = [&](int rank) {
    std::lock_guard lock(world->mutex);
    if (!world->failed) {
      world->failed = rank;
      world->first_error = std::current_exception();
    }
    world->changed.notify_all();
  };
  const auto run = [&](int rank) {
    try {
      body(Group(std::make_shared<ThreadCommunicator>(room, rank,
                                                      std::make_shared<double>(patience_seconds))));
      std::lock_guard lock(world->mutex);
      world->has_ended[rank] = true;
      world->changed.notify_all();
    } catch (...) {
      fail(rank);
    }
  };
  {
    std::vector<std::jthread> threads;  // joined at the end of this block
    try {
      for (int rank = 0; rank < size; ++rank) threads.emplace_back(run, rank);
    } catch (...) {
      fail(static_cast<int>(threads.size()));  // the system has no more threads
    }
  }
  if (world->first_error != nullptr) std::rethrow_exception(world->first_error);
}

}  // namespace ty
