#include "launch/run/step_patience.h"

#include <gtest/gtest.h>

#include "parallel/comm/communicator.h"

namespace ty::test {
namespace {

TEST(StepPatience, IsThatOfEverythingElseUntilAStepIsDone) {
  EXPECT_EQ(StepPatience().seconds(), kDefaultPatience);
}

// Named within ten seconds or ten steps, whichever is more: nine in the call, up to one before it.
TEST(StepPatience, LastsNineStepsOrNineSeconds) {
  StepPatience patience;
  patience.add(0.001);
  EXPECT_EQ(patience.seconds(), 9.0);
  for (int i = 0; i < 3; ++i) patience.add(4.0);
  EXPECT_EQ(patience.seconds(), 36.0);
}

TEST(StepPatience, FollowsTheMedianOfRecentSteps) {
  StepPatience patience;
  for (int i = 0; i < 31; ++i) patience.add(100.0);
  EXPECT_EQ(patience.seconds(), 900.0);
  for (int i = 0; i < 15; ++i) patience.add(2.0);
  EXPECT_EQ(patience.seconds(), 900.0);
  patience.add(2.0);
  EXPECT_EQ(patience.seconds(), 18.0);
  for (int i = 0; i < 10; ++i) patience.add(1000.0);  // a machine that stutters
  EXPECT_EQ(patience.seconds(), 18.0);
}

}  // namespace
}  // namespace ty::test
