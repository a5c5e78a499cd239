// Speeds since the last record, and what is expected of steps to come.
#include "launch/run/step_times.h"

#include <gtest/gtest.h>

namespace ty {
namespace {

TEST(StepTimes, SpeedIsThatOfTheSlowestRankSinceTheLastCall) {
  StepTimes times(1);
  times.add(1.0, 100);
  times.add(2.0, 100);
  EXPECT_EQ(times.seconds(), 3.0);
  const StepTimes::Speed first = times.take(4.0);
  EXPECT_EQ(first.tokens_per_second, 50.0);
  EXPECT_EQ(first.step_seconds, 2.0);
  EXPECT_EQ(times.seconds(), 0.0);
  times.add(1.0, 30);
  EXPECT_EQ(times.take(1.0).tokens_per_second, 30.0);
}

TEST(StepTimes, StepsOfTheWarmUpAreForgotten) {
  StepTimes times(2);
  times.add(9.0, 1);
  times.take(9.0);
  EXPECT_EQ(times.expected_seconds(), 9.0);
  times.add(1.0, 1);
  times.take(1.0);
  EXPECT_EQ(times.expected_seconds(), 1.0);
  times.add(2.0, 1);
  times.take(2.0);
  EXPECT_DOUBLE_EQ(times.expected_seconds(), 0.7 * 1.0 + 0.3 * 2.0);
}

}  // namespace
}  // namespace ty
