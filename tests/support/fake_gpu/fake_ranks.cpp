#include "tests/support/fake_gpu/fake_ranks.h"

#include <sched.h>

#include <mutex>
#include <optional>

#include "core/base/error.h"
#include "core/base/stopwatch.h"
#include "parallel/comm/roll_call.h"
#include "parallel/comm/threads/threads.h"
#include "parallel/comm/watch.h"

namespace ty::test {

namespace {

// Where each rank has last been seen waiting.
struct Board {
  struct Seen {
    std::string call;
    Stopwatch since;
  };
  explicit Board(int ranks) : seen(static_cast<std::size_t>(ranks)) {}
  std::mutex mutex;
  std::vector<std::optional<Seen>> seen;
};

class BoardWatch final : public Watch {
 public:
  BoardWatch(std::shared_ptr<Board> board, int rank) : board_(std::move(board)), rank_(rank) {}

  void begin() override {}
  void attend(const std::string& call) override {
    const std::lock_guard lock(board_->mutex);
    board_->seen[static_cast<std::size_t>(rank_)] = {call, Stopwatch()};
  }
  void raise(const std::string& call, double waited_seconds,
             const std::function<bool()>& done) override {
    constexpr double kCollecting = 0.3, kFresh = 0.2;  // seconds
    for (const Stopwatch watch; watch.seconds() < kCollecting; sched_yield()) {
      attend(call);
      if (done()) return;
    }
    const std::lock_guard lock(board_->mutex);
    std::vector<int> ranks(board_->seen.size());
    for (std::size_t r = 0; r < ranks.size(); ++r) ranks[r] = static_cast<int>(r);
    RollCall roll(ranks, rank_, call, waited_seconds);
    for (std::size_t r = 0; r < ranks.size(); ++r) {
      const auto& seen = board_->seen[r];
      if (seen && seen->since.seconds() < kFresh) roll.answer(static_cast<int>(r), seen->call);
    }
    throw CommError("{}", roll.verdict());
  }

 private:
  std::shared_ptr<Board> board_;
  int rank_;
};

// Another group's calls, each followed by something, and with a watch.
class Wrapped final : public Communicator {
 public:
  struct How {
    std::function<void()> after_wait;
    std::shared_ptr<Watch> watch;
  };
  Wrapped(Group inner, How how)
      : Communicator(inner.rank(), inner.size()), inner_(std::move(inner)), how_(std::move(how)) {}
  void set_patience(double seconds) override { inner_.set_patience(seconds); }
  std::shared_ptr<Watch> watch() override { return how_.watch; }

 private:
  class Followed final : public Work::State {
   public:
    Followed(Work work, std::function<void()> after)
        : work_(std::move(work)), after_(std::move(after)) {}
    bool test() override { return work_.test(); }
    void wait(double patience_seconds) override {
      work_.wait(patience_seconds);
      after_();
    }

   private:
    Work work_;
    std::function<void()> after_;
  };
  Work follow(Work work) const {
    if (how_.after_wait == nullptr) return work;
    return {std::make_unique<Followed>(std::move(work), how_.after_wait), kDefaultPatience};
  }

  Work do_all_reduce(const View& x, ReduceOp op) override {
    return follow(inner_.all_reduce(x, op));
  }
  Work do_all_gather(const View& all, const View& own) override {
    return follow(inner_.all_gather(all, own));
  }
  Work do_reduce_scatter(const View& own, const View& all, ReduceOp op) override {
    return follow(inner_.reduce_scatter(own, all, op));
  }
  Work do_broadcast(const View& x, int root) override { return follow(inner_.broadcast(x, root)); }
  Work do_send(const View& x, int peer, int tag) override {
    return follow(inner_.send(x, peer, tag));
  }
  Work do_receive(const View& x, int peer, int tag) override {
    return follow(inner_.receive(x, peer, tag));
  }
  void do_barrier() override { inner_.barrier(); }
  std::shared_ptr<Communicator> do_split(int color, int key) override {
    return std::make_shared<Wrapped>(inner_.split(color, key), how_);
  }

  Group inner_;
  How how_;
};

}  // namespace

Group settled(const Group& device, Backend& backend) {
  return Group(std::make_shared<Wrapped>(
      device, Wrapped::How{[&backend] { backend.synchronize(); }, device.watch()}));
}

void run_fake_ranks(int ranks, const std::function<void(const FakeRank&)>& body,
                    const NcclOptions& options) {
  run_ranks_on(
      ranks, [] { return std::make_unique<FakeBackend>(); },
      [&](const Group& host, const Group& device, Backend& backend) {
        body({host, device, dynamic_cast<FakeBackend&>(backend)});
      },
      options);
}

void run_ranks_on(int ranks, const std::function<std::unique_ptr<Backend>()>& make,
                  const std::function<void(const Group& host, const Group& device, Backend&)>& body,
                  const NcclOptions& options) {
  const auto board = std::make_shared<Board>(ranks);
  run_ranks(
      ranks,
      [&](const Group& threads) {
        FakeGpu::enter(threads.rank());
        const std::unique_ptr<Backend> backend = make();
        const auto watch = std::make_shared<BoardWatch>(board, threads.rank());
        const Group host(std::make_shared<Wrapped>(threads, Wrapped::How{nullptr, watch}));
        const Group device = open_nccl(host, *backend, options, FakeGpu::libraries());
        body(host, device, *backend);
      },
      60.0);
}

}  // namespace ty::test
