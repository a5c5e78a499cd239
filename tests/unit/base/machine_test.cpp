#include "core/base/machine.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <chrono>
#include <thread>

#include "core/base/stopwatch.h"

namespace ty::test {
namespace {

// In a thread, whose affinity is its own.
TEST(Machine, CountsTheCoresThatAreLeftToIt) {
  int all = 0, one = 0, many_processes = 0;
  std::thread([&] {
    cpu_set_t before;
    ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
    all = usable_cores();
    EXPECT_EQ(all, CPU_COUNT(&before));
    EXPECT_EQ(threads_per_process(1), all);
    many_processes = threads_per_process(all + 1);
    int first = 0;
    while (!CPU_ISSET(first, &before)) ++first;
    cpu_set_t single;
    CPU_ZERO(&single);
    CPU_SET(first, &single);
    ASSERT_EQ(sched_setaffinity(0, sizeof(single), &single), 0);
    one = usable_cores();
  }).join();
  EXPECT_EQ(one, 1);
  EXPECT_EQ(many_processes, 1);
}

TEST(Stopwatch, MeasuresFromItsLastStart) {
  constexpr auto kPause = std::chrono::milliseconds(20);
  Stopwatch watch;
  const double begin = watch.started_at();
  std::this_thread::sleep_for(kPause);
  EXPECT_GE(watch.seconds(), 0.02);
  watch.restart();
  EXPECT_GE(watch.started_at() - begin, 0.02);
  EXPECT_GE(seconds_of([&] { std::this_thread::sleep_for(kPause); }), 0.02);
}

}  // namespace
}  // namespace ty::test
