#include "tests/support/cuda/emulator.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/backend/cuda/kernel/emulated.h"
#include "core/backend/cuda/kernel/portable.h"
#include "tests/support/cuda/device_memory.h"
#include "tests/support/cuda/fiber.h"

namespace ty::cuda::emulated {

namespace {

enum class State : std::uint8_t { ready, at_barrier, exchanging, ended };

void entry();

struct Thread {
  Place place;
  State state = State::ready;
  std::uint64_t bits = 0;  // given to the warp; then what came back
  int from = 0;
  std::exception_ptr error;
  Fiber fiber{&entry};
};

std::mutex one_launch;  // shared memory is static
Order order = Order::ascending;
Thread* running = nullptr;
const std::function<void()>* body = nullptr;
std::vector<std::unique_ptr<Thread>> idle;

// The first function on a fiber's stack: a thread of a block, then one of another.
void entry() {
  running->fiber.begin();
  for (;;) {
    Thread& own = *running;
    try {
      (*body)();
    } catch (...) {
      own.error = std::current_exception();
    }
    own.state = State::ended;
    own.fiber.yield();
  }
}

void wait_as(State state) {
  Thread& own = *running;
  own.state = state;
  own.fiber.yield();
}

class Block {
 public:
  Block(const Place& place, std::vector<std::unique_ptr<Thread>>& threads)
      : place_(place), threads_(threads) {}

  void run() {
    for (std::int64_t i = 0; i < place_.threads; ++i) {
      if (idle.empty()) idle.push_back(std::make_unique<Thread>());
      std::unique_ptr<Thread> thread = std::move(idle.back());
      idle.pop_back();
      thread->place = place_;
      thread->place.thread = order == Order::ascending ? i : place_.threads - 1 - i;
      thread->state = State::ready;
      resume(*thread);
      auto& kept = thread->state == State::ended ? idle : threads_;
      kept.push_back(std::move(thread));
    }
    while (!threads_.empty()) {
      release();
      for (auto& thread : threads_) {
        if (thread->state == State::ready) resume(*thread);
      }
      const auto ended = std::stable_partition(threads_.begin(), threads_.end(),
                                               [](auto& t) { return t->state != State::ended; });
      std::move(ended, threads_.end(), std::back_inserter(idle));
      threads_.erase(ended, threads_.end());
    }
  }

 private:
  static void resume(Thread& thread) {
    running = &thread;
    thread.fiber.resume();
    running = nullptr;
    if (thread.error) std::rethrow_exception(std::exchange(thread.error, nullptr));
  }

  // Makes those ready that have everything they wait for.
  void release() {
    const auto waiting = std::count_if(threads_.begin(), threads_.end(),
                                       [](auto& t) { return t->state == State::at_barrier; });
    if (waiting == place_.threads) {
      for (auto& thread : threads_) thread->state = State::ready;
      return;
    }
    bool any = false;
    for (std::int64_t warp = 0; warp * kernel::kWarp < place_.threads; ++warp) {
      any = release_warp(warp) || any;
    }
    if (!any) {
      throw std::logic_error("kernel: of " + std::to_string(place_.threads) + " threads " +
                             std::to_string(waiting) + " wait at a barrier, " +
                             std::to_string(place_.threads - std::ssize(threads_)) +
                             " have ended, the others wait for their warp");
    }
  }

  bool release_warp(std::int64_t warp) {
    Thread* lanes[kernel::kWarp] = {};
    int exchanging = 0;
    for (auto& thread : threads_) {
      if (thread->place.thread / kernel::kWarp != warp) continue;
      if (thread->state == State::exchanging) ++exchanging;
      lanes[thread->place.thread % kernel::kWarp] = thread.get();
    }
    if (exchanging != kernel::kWarp) return false;
    std::uint64_t given[kernel::kWarp];
    for (int i = 0; i < kernel::kWarp; ++i) given[i] = lanes[i]->bits;
    for (Thread* lane : lanes) {
      lane->bits = given[lane->from];
      lane->state = State::ready;
    }
    return true;
  }

  Place place_;
  std::vector<std::unique_ptr<Thread>>& threads_;
};

}  // namespace

void set_order(Order wanted) { order = wanted; }

const Place& place() { return running->place; }

void barrier() { wait_as(State::at_barrier); }

std::uint64_t exchange(std::uint64_t bits, int from) {
  Thread& own = *running;
  own.bits = bits;
  own.from = from;
  wait_as(State::exchanging);
  return own.bits;
}

void run(std::int64_t blocks_x, std::int64_t blocks_y, int threads,
         const std::function<void()>& work) {
  const std::lock_guard lock(one_launch);
  const Access access;
  if (threads < 1 || threads > kernel::kMostThreads || threads % kernel::kWarp != 0) {
    throw std::logic_error("kernel: a block of " + std::to_string(threads) + " threads");
  }
  body = &work;
  std::vector<std::unique_ptr<Thread>> living;
  const std::int64_t blocks = blocks_x * blocks_y;
  for (std::int64_t i = 0; i < blocks; ++i) {
    const std::int64_t at = order == Order::ascending ? i : blocks - 1 - i;
    Block({.threads = threads,
           .block_x = at % blocks_x,
           .block_y = at / blocks_x,
           .blocks_x = blocks_x,
           .blocks_y = blocks_y},
          living)
        .run();
  }
  body = nullptr;
}

}  // namespace ty::cuda::emulated
