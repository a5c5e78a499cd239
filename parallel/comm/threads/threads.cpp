#include "parallel/comm/threads/threads.h"

#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>

#include "core/base/error.h"

namespace ty {

namespace {

// Why everybody must stop; shared by all groups of one run_ranks().
struct Failure {
  std::mutex mutex;
  std::condition_variable changed;
  bool failed = false;
};

// One collective of one group: what each rank brought, and how far it is.
struct Call {
  std::string what;  // call, dtype, count: must agree
  std::vector<const void*> inputs;
  int arrived = 0;
  int left = 0;
};

using Bytes = std::vector<std::byte>;

// What the ranks of one group share. Everything is guarded by failure->mutex.
struct Room {
  explicit Room(int n, std::shared_ptr<Failure> f) : size(n), failure(std::move(f)) {}
  int size;
  std::shared_ptr<Failure> failure;
  std::map<std::int64_t, Call> calls;                                      // by sequence number
  std::map<std::tuple<int, int, int>, std::deque<Bytes>> mail;             // from, to, tag
  std::map<std::pair<std::int64_t, int>, std::shared_ptr<Room>> children;  // by split and color
};

class ThreadCommunicator final : public Communicator {
 public:
  ThreadCommunicator(std::shared_ptr<Room> room, int rank) : room_(std::move(room)), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return room_->size; }

  Work all_reduce(const View& x, ReduceOp op) override {
    check_whole("all_reduce", x);
    Bytes sum(x.bytes());
    const View total = contiguous_view(sum.data(), x.dtype, x.shape);
    meet(describe("all_reduce", x, op), x.data,
         [&](const Call& call) { reduce(total, call.inputs, 0, op); });
    if (!sum.empty()) std::memcpy(x.data, sum.data(), sum.size());
    return {};
  }

  Work all_gather(const View& all, const View& own) override {
    check_parts("all_gather", all, own, size());
    const Bytes mine = copy_of(own);  // own may lie inside all
    meet(describe("all_gather", own, ReduceOp::sum), mine.data(), [&](const Call& call) {
      for (std::size_t r = 0; r < call.inputs.size(); ++r) {
        if (!mine.empty()) {
          std::memcpy(all.as<std::byte>() + r * mine.size(), call.inputs[r], mine.size());
        }
      }
    });
    return {};
  }

  Work reduce_scatter(const View& own, const View& all, ReduceOp op) override {
    check_parts("reduce_scatter", all, own, size());
    Bytes sum(own.bytes());
    const View total = contiguous_view(sum.data(), own.dtype, own.shape);
    meet(describe("reduce_scatter", all, op), all.data, [&](const Call& call) {
      reduce(total, call.inputs, own.bytes() * static_cast<std::size_t>(rank_), op);
    });
    if (!sum.empty()) std::memcpy(own.data, sum.data(), sum.size());
    return {};
  }

  Work broadcast(const View& x, int root) override {
    check_whole("broadcast", x);
    meet(fmt::format("{} from {}", describe("broadcast", x, ReduceOp::sum), root), x.data,
         [&](const Call& call) {
           if (rank_ != root && x.bytes() > 0) {
             std::memcpy(x.data, call.inputs[static_cast<std::size_t>(root)], x.bytes());
           }
         });
    return {};
  }

  Work send(const View& x, int peer, int tag) override {
    check_whole("send", x);
    std::lock_guard lock(room_->failure->mutex);
    room_->mail[{rank_, peer, tag}].push_back(copy_of(x));
    room_->failure->changed.notify_all();
    return {};
  }

  Work receive(const View& x, int peer, int tag) override {
    check_whole("receive", x);
    std::unique_lock lock(room_->failure->mutex);
    auto& box = room_->mail[{peer, rank_, tag}];
    wait_until(lock, [&] { return !box.empty(); });
    const Bytes message = std::move(box.front());
    box.pop_front();
    if (message.size() != x.bytes()) {
      throw CommError("receive: rank {} sent {} bytes, rank {} wants {}", peer, message.size(),
                      rank_, x.bytes());
    }
    if (!message.empty()) std::memcpy(x.data, message.data(), message.size());
    return {};
  }

  void barrier() override {
    meet("barrier", nullptr, [](const Call&) {});
  }

  std::shared_ptr<Communicator> split(int color, int key) override {
    struct Wish {
      int color, key;
    };
    const Wish wish = {color, key};
    std::shared_ptr<Room> child;
    int new_rank = 0;
    const std::int64_t number = sequence_;
    meet("split", &wish, [&](const Call& call) {
      int members = 0;
      for (std::size_t r = 0; r < call.inputs.size(); ++r) {
        const auto& other = *static_cast<const Wish*>(call.inputs[r]);
        if (other.color != color) continue;
        ++members;
        const bool before = std::pair(other.key, static_cast<int>(r)) < std::pair(key, rank_);
        if (before) ++new_rank;
      }
      std::lock_guard lock(room_->failure->mutex);
      auto& slot = room_->children[{number, color}];
      if (slot == nullptr) slot = std::make_shared<Room>(members, room_->failure);
      child = slot;
    });
    return std::make_shared<ThreadCommunicator>(child, new_rank);
  }

 private:
  static std::string describe(const char* call, const View& x, ReduceOp op) {
    return fmt::format("{}({}) of {} x {}", call, name_of(op), x.numel(), name_of(x.dtype));
  }
  static Bytes copy_of(const View& x) {
    const auto* first = x.as<std::byte>();
    return Bytes(first, first + x.bytes());
  }
  static void reduce(const View& total, const std::vector<const void*>& inputs, std::size_t offset,
                     ReduceOp op) {
    for (std::size_t r = 0; r < inputs.size(); ++r) {
      auto* part = const_cast<std::byte*>(static_cast<const std::byte*>(inputs[r])) + offset;
      if (r == 0) {
        if (total.bytes() > 0) std::memcpy(total.data, part, total.bytes());
      } else {
        combine(op, total, contiguous_view(part, total.dtype, total.shape));
      }
    }
  }

  template <typename Ready>
  void wait_until(std::unique_lock<std::mutex>& lock, Ready ready) {
    room_->failure->changed.wait(lock, [&] { return room_->failure->failed || ready(); });
    if (room_->failure->failed) throw CommError("another rank failed");
  }

  // All ranks bring an input; everybody's body sees all of them; nobody leaves before all have
  // read.
  template <typename Body>
  void meet(const std::string& what, const void* input, Body body) {
    const std::int64_t number = sequence_++;
    std::unique_lock lock(room_->failure->mutex);
    Call& call = room_->calls[number];
    if (call.arrived == 0) {
      call.what = what;
      call.inputs.resize(static_cast<std::size_t>(room_->size));
    } else if (call.what != what) {
      throw CommError("collective {} of the group: rank {} calls {}, another rank {}", number,
                      rank_, what, call.what);
    }
    call.inputs[static_cast<std::size_t>(rank_)] = input;
    ++call.arrived;
    room_->failure->changed.notify_all();
    wait_until(lock, [&] { return call.arrived == room_->size; });
    lock.unlock();
    body(call);
    lock.lock();
    ++call.left;
    room_->failure->changed.notify_all();
    // Whoever arrived also leaves, so this ends even after a failure; inputs stay valid till then.
    room_->failure->changed.wait(lock, [&] { return call.left >= room_->size; });
    if (++call.left == 2 * room_->size) room_->calls.erase(number);
  }

  std::shared_ptr<Room> room_;
  int rank_;
  std::int64_t sequence_ = 0;
};

}  // namespace

void run_ranks(int size, const std::function<void(Group world)>& body) {
  const auto failure = std::make_shared<Failure>();
  const auto room = std::make_shared<Room>(size, failure);
  std::exception_ptr first;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        body(Group(std::make_shared<ThreadCommunicator>(room, rank)));
      } catch (...) {
        std::lock_guard lock(failure->mutex);
        if (first == nullptr) first = std::current_exception();
        failure->failed = true;
        failure->changed.notify_all();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (first != nullptr) std::rethrow_exception(first);
}

}  // namespace ty
