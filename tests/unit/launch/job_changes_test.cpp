// What makes a job, a layer or a phase another one than what is there.
#include "launch/job/job_changes.h"

#include <gtest/gtest.h>

#include "models/linear/dense/dense.h"
#include "models/linear/lora/lora.h"
#include "models/linear/svd/svd.h"

namespace ty::test {
namespace {

std::string between(const LinearSpec& before, const LinearSpec& after) {
  return to_text(changes_between(before, after));
}

TEST(JobChanges, OfALayerAreWhatItsWeightsMean) {
  EXPECT_EQ(between(SvdSpec{.rank = 4}, SvdSpec{.rank = 4}), "");
  EXPECT_EQ(between(SvdSpec{.rank = 4}, SvdSpec{.rank = 5}), "rank 4 -> 5");
  EXPECT_EQ(between(SvdSpec{.rank = 4, .activation = UnaryOp::silu},
                    SvdSpec{.rank = 4, .activation = UnaryOp::relu}),
            "activation silu -> relu");
  EXPECT_EQ(between(DenseSpec{}, SvdSpec{.rank = 4}), "kind dense -> svd");
}

TEST(JobChanges, OfALayerAreNotHowItStartsAndWhatItDropsInTraining) {
  EXPECT_EQ(between(SvdSpec{.rank = 4}, SvdSpec{.rank = 4, .init = FactorInit::orthogonal}), "");
  const LoraSpec adapted = {.options = {.rank = 2}, .of = SvdSpec{.rank = 4}};
  LoraSpec other = adapted;
  other.options.dropout = 0.1;
  other.of = SvdSpec{.rank = 4, .init = FactorInit::orthogonal};
  EXPECT_EQ(between(adapted, other), "");
  other.options.alpha = 2 * adapted.options.alpha;
  other.of = SvdSpec{.rank = 3};
  EXPECT_EQ(changes_between(adapted, other).size(), 2U) << between(adapted, other);
}

TEST(JobChanges, OfAPhaseAreNotItsSteps) {
  const StrategyPhase before = {.match = {"*"}, .method = "svd", .keep = 0.5, .steps = 10};
  StrategyPhase after = before;
  after.steps = 20;
  EXPECT_TRUE(changes_between(before, after).empty());
  after.keep = 0.25;
  EXPECT_EQ(to_text(changes_between(before, after)), "keep 0.5 -> 0.25");
}

}  // namespace
}  // namespace ty::test
