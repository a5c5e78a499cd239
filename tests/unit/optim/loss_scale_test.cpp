#include "optim/loss_scale.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace ty::test {
namespace {

void take_steps(LossScale& scale, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) scale.step_taken();
}

TEST(LossScale, IsOneAndStaysOneUnlessItIsUsed) {
  LossScale none;
  EXPECT_FALSE(none.is_used());
  EXPECT_FALSE(none.can_shrink());
  take_steps(none, 2 * LossScale::kGoodSteps);
  EXPECT_EQ(none.factor(), 1.0);
  EXPECT_EQ(none.state(), LossScale::State());
}

TEST(LossScale, HalvesOnOverflowAndDoublesAfterGoodStepsInARow) {
  LossScale scale(LossScale::kFirst);
  EXPECT_EQ(scale.factor(), 65536.0);
  scale.step_skipped();
  EXPECT_EQ(scale.factor(), 32768.0);
  take_steps(scale, 1999);
  EXPECT_EQ(scale.factor(), 32768.0);
  scale.step_skipped();  // the good steps before it do not count any more
  take_steps(scale, 1999);
  EXPECT_EQ(scale.factor(), 16384.0);
  scale.step_taken();
  EXPECT_EQ(scale.factor(), 32768.0);
  take_steps(scale, 2000);
  EXPECT_EQ(scale.factor(), 65536.0);
  EXPECT_EQ(scale.state().skipped_steps, 2);
}

TEST(LossScale, StaysBetweenOneAndTwoToThe24) {
  LossScale large(LossScale::kLargest);
  take_steps(large, 3 * LossScale::kGoodSteps);
  EXPECT_EQ(large.factor(), 16777216.0);
  LossScale small(2.0);
  EXPECT_TRUE(small.can_shrink());
  small.step_skipped();
  EXPECT_EQ(small.factor(), 1.0);
  EXPECT_FALSE(small.can_shrink());
  EXPECT_THROW(small.step_skipped(), InternalError);
}

TEST(LossScale, IsAPowerOfTwo) {
  for (const double bad : {0.0, -2.0, 0.5, 3.0, 65535.0, 33554432.0}) {
    EXPECT_THROW(LossScale{bad}, ConfigError) << bad;
  }
  for (const double good : {1.0, 2.0, 16777216.0}) EXPECT_EQ(LossScale(good).factor(), good);
}

TEST(LossScale, GoesOnFromItsState) {
  LossScale before(1024.0);
  before.step_skipped();
  take_steps(before, 1990);
  LossScale after(LossScale::kFirst);
  after.restore(before.state(), "run");
  EXPECT_EQ(after.state(), before.state());
  take_steps(after, 10);
  EXPECT_EQ(after.factor(), 1024.0);
}

TEST(LossScale, KeepsTheNumberOfSkippedStepsWhenItIsSwitchedOnOrOff) {
  LossScale none;
  none.restore({.scale = 512.0, .good_steps = 7, .skipped_steps = 3}, "run");
  EXPECT_EQ(none.state(), (LossScale::State{.scale = 0.0, .good_steps = 0, .skipped_steps = 3}));
  LossScale begun(LossScale::kFirst);
  begun.restore(none.state(), "run");
  EXPECT_EQ(begun.state(),
            (LossScale::State{.scale = 65536.0, .good_steps = 0, .skipped_steps = 3}));
}

TEST(LossScale, RefusesAStateThatNoRunCanHave) {
  using State = LossScale::State;
  for (const State& bad :
       {State{.scale = 3.0}, State{.scale = -1.0}, State{.scale = 2.0, .good_steps = 2000},
        State{.scale = 2.0, .good_steps = -1},
        State{.scale = 2.0, .good_steps = 0, .skipped_steps = -1}}) {
    LossScale scale(2.0);
    try {
      scale.restore(bad, "step-7");
      FAIL();
    } catch (const DataError& e) {
      EXPECT_EQ(std::string(e.what()).find("step-7: loss scale "), 0U) << e.what();
    }
    EXPECT_EQ(scale.state(), State{.scale = 2.0});
  }
}

}  // namespace
}  // namespace ty::test
