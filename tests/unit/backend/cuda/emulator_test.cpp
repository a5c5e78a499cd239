// The emulator finds what it is for.
#include "tests/support/cuda/emulator.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "core/backend/cuda/kernel/group.h"

namespace ty::cuda {
namespace {

using namespace kernel;  // as kernels are written

constexpr int kThreads = 64;

void add_up(std::int64_t* sums) {
  const std::int64_t sum = warp_sum(thread());
  if (lane() == 0) sums[block() * 2 + thread() / kWarp] = sum;
}

TEST(Emulator, LanesOfAWarpExchangeTheirValues) {
  std::vector<std::int64_t> sums(6);
  launch(nullptr, {3, 1}, kThreads, add_up, sums.data());
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(sums[i], i % 2 == 0 ? 496 : 496 + 32 * 32);
}

// Thread t writes cell t and reads its neighbour's.
template <bool waits>
void pass_on(int* out) {
  TY_SHARED int cells[kThreads];
  const std::int64_t t = thread();
  cells[t] = static_cast<int>(t);
  if (waits) barrier();
  out[t] = cells[(t + 1) % kThreads];
  barrier();
  cells[t] = -1;
}

std::vector<int> passed_on(void (*kernel)(int*), emulated::Order order) {
  emulated::set_order(order);
  std::vector<int> out(kThreads);
  launch(nullptr, {1, 1}, kThreads, kernel, out.data());
  return out;
}

TEST(Emulator, AnotherOrderOfThreadsShowsAMissingBarrier) {
  using emulated::Order;
  EXPECT_EQ(passed_on(pass_on<true>, Order::ascending),
            passed_on(pass_on<true>, Order::descending));
  EXPECT_NE(passed_on(pass_on<false>, Order::ascending),
            passed_on(pass_on<false>, Order::descending));
}

void half_waits() {
  if (thread() < kThreads / 2) barrier();
}
void half_a_warp_exchanges() {
  if (lane() < 16) warp_sum(1);
}
void waits_for_different_things() {
  if (thread() == 0) {
    barrier();
  } else {
    warp_sum(1);
  }
}

TEST(Emulator, ThreadsThatWaitForDifferentThingsAreReported) {
  for (auto* kernel : {half_waits, half_a_warp_exchanges, waits_for_different_things}) {
    EXPECT_THROW(launch(nullptr, {1, 1}, kThreads, kernel), std::logic_error);
  }
}

void counts(int* calls) { ++calls[block_y() * blocks() + block()]; }

TEST(Emulator, EveryThreadOfTheGridRunsOnce) {
  std::vector<int> calls(6);
  launch(nullptr, {3, 2}, kThreads, counts, calls.data());
  EXPECT_EQ(calls, std::vector<int>(6, kThreads));
  EXPECT_THROW(launch(nullptr, {1, 1}, 33, counts, calls.data()), std::logic_error);
}

}  // namespace
}  // namespace ty::cuda
