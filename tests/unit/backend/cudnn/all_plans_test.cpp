// All that is compiled for: every length with every width, and every choice of masks at one shape.
#include <gtest/gtest.h>

#include "core/backend/cuda/cudnn/attention_plans.h"
#include "tests/unit/backend/cudnn/problems.h"

namespace ty::test {
namespace {

using cudnn::AttentionProblem;
using cudnn::Drops;
using cudnn::Gradients;

constexpr Gradients kPasses[] = {Gradients::none, Gradients::fast, Gradients::repeatable};

void expect_plan(const AttentionProblem& problem) {
  cudnn::AttentionPlans plans{cudnn::DeviceProperties(h200_properties())};
  const auto& answer = plans.find(problem);
  EXPECT_NE(answer.plan, nullptr) << answer.refusal;
}

TEST(AllPlans, OfEveryLengthAndWidth) {
  int count = 0;
  for (const std::int64_t length : {7, 100, 1024, 2048}) {
    for (const std::int64_t width : {8, 16, 32, 64, 80, 128}) {
      for (const Gradients pass : kPasses) {
        AttentionProblem p = problem_of({2, 3, length, length, width});
        p.gradients = pass;
        p.causal = count % 2 == 0;
        p.dtype = count % 3 == 0 ? DType::f16 : DType::bf16;
        expect_plan(p);
        ++count;
      }
    }
  }
  EXPECT_EQ(count, 72);
}

TEST(AllPlans, OfEveryMask) {
  for (const Gradients pass : kPasses) {
    for (const bool causal : {false, true}) {
      for (const bool lengths : {false, true}) {
        for (const Drops drops : {Drops::nothing, Drops::counter, Drops::mask}) {
          for (const std::int64_t keys : {77, 1024, 1536}) {
            AttentionProblem p = problem_of({2, 3, 1024, keys, 64});
            p.gradients = pass;
            p.causal = causal;
            p.lengths = lengths;
            p.drops = drops;
            if (drops == Drops::counter) p.keep = 0.9f;
            if (cudnn::reason_against(p).empty()) expect_plan(p);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace ty::test
