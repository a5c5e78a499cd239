// How measurements that take turns are ordered and summed up.
#include "launch/bench/bench.h"

#include <gtest/gtest.h>

#include <numeric>
#include <utility>
#include <vector>

namespace ty::bench {
namespace {

// n, n - 1, .. 1
std::vector<double> falling(int n) {
  std::vector<double> x(static_cast<std::size_t>(n));
  std::iota(x.rbegin(), x.rend(), 1.0);
  return x;
}

// Ranks of the confidence interval as in tables of the binomial distribution.
TEST(Bench, IntervalHoldsTheMedianWith95Percent) {
  const auto interval = [](int n) {
    const Spread spread = spread_of(falling(n));
    EXPECT_EQ(spread.min, 1.0);
    EXPECT_EQ(spread.max, n);
    return std::pair(spread.low, spread.high);
  };
  EXPECT_EQ(interval(1), std::pair(1.0, 1.0));
  EXPECT_EQ(interval(5), std::pair(1.0, 5.0));  // all of them: 93.75 %
  EXPECT_EQ(interval(8), std::pair(1.0, 8.0));
  EXPECT_EQ(interval(9), std::pair(2.0, 8.0));
  EXPECT_EQ(interval(20), std::pair(6.0, 15.0));
  EXPECT_EQ(interval(101), std::pair(41.0, 61.0));
  EXPECT_EQ(spread_of(falling(101)).median, 51.0);
}

TEST(Bench, RatiosAreOfRoundsNotOfMedians) {
  const Spread spread = ratios_of({2, 30, 4}, {1, 10, 1});
  EXPECT_EQ(spread.median, 3.0);
  EXPECT_EQ(spread.min, 2.0);
  EXPECT_EQ(spread.max, 4.0);
}

TEST(Bench, EveryOtherRoundRunsBackwards) {
  std::vector<std::size_t> things;
  take_turns({.warmup = 1, .measured = 2}, 3, false,
             [&](std::size_t thing, std::int64_t round, bool counts) {
               things.push_back(thing);
               EXPECT_EQ(counts, round >= 1);
             });
  EXPECT_EQ(things, (std::vector<std::size_t>{0, 1, 2, 2, 1, 0, 0, 1, 2}));
}

}  // namespace
}  // namespace ty::bench
