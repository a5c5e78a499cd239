// Plans of attention, compiled for a device that is not there (tests/support/null_driver): a list
// in which every length, width, mask and pass occurs. all_plans_test.cpp has the whole of it.
#include <gtest/gtest.h>

#include "core/backend/cuda/cudnn/attention_run.h"
#include "core/base/error.h"
#include "tests/support/messages.h"
#include "tests/unit/backend/cudnn/problems.h"

namespace ty::test {
namespace {

using cudnn::AttentionPlans;
using cudnn::AttentionProblem;
using cudnn::DeviceProperties;
using cudnn::Drops;
using cudnn::Gradients;

struct Case {
  AttentionShape shape;
  Gradients gradients = Gradients::none;
  bool causal = false, lengths = false;
  Drops drops = Drops::nothing;
  DType dtype = DType::bf16;
};

AttentionProblem problem_of(const Case& c) {
  AttentionProblem p = problem_of(c.shape);
  p.gradients = c.gradients;
  p.causal = c.causal;
  p.lengths = c.lengths;
  p.drops = c.drops;
  p.dtype = c.dtype;
  if (p.drops == Drops::counter) p.keep = 0.9f;
  return p;
}

void PrintTo(const Case& c, std::ostream* out) { *out << cudnn::describe(problem_of(c)); }

AttentionPlans new_plans() { return AttentionPlans(DeviceProperties(h200_properties())); }

class Plans : public testing::TestWithParam<Case> {};

const Case kCases[] = {
    {{2, 12, 1024, 1024, 64}, Gradients::none, true},
    {{2, 12, 1024, 1024, 64}, Gradients::fast, true},
    {{2, 12, 1024, 1024, 64}, Gradients::repeatable, true},
    {{2, 3, 7, 7, 8}, Gradients::none, false, true},
    {{2, 3, 7, 7, 16}, Gradients::fast, true, true, Drops::mask, DType::f16},
    {{2, 3, 100, 100, 80}, Gradients::none, true, true, Drops::counter},
    {{2, 3, 100, 100, 32}, Gradients::repeatable, false, true, Drops::counter},
    {{1, 2, 2048, 2048, 128}, Gradients::none, false, false, Drops::mask, DType::f16},
    {{1, 2, 2048, 2048, 128}, Gradients::fast, false},
    {{2, 4, 1024, 77, 64}, Gradients::none, false, true},
    {{2, 4, 1024, 77, 64}, Gradients::fast, false, true},
    {{2, 4, 100, 512, 64}, Gradients::none, true},
};
INSTANTIATE_TEST_SUITE_P(Some, Plans, testing::ValuesIn(kCases));

TEST_P(Plans, AreFinished) {
  const AttentionProblem problem = problem_of(GetParam());
  AttentionPlans plans = new_plans();
  const AttentionPlans::Answer& answer = plans.find(problem);
  ASSERT_NE(answer.plan, nullptr) << answer.refusal;
  const std::int64_t rows = problem.batch * problem.heads * problem.queries;
  const bool has_gradients = problem.gradients != Gradients::none;
  const bool is_fast = problem.gradients == Gradients::fast;
  EXPECT_EQ(answer.plan->needs.row_sum, has_gradients ? rows * 4 : 0);
  EXPECT_EQ(answer.plan->needs.query_sum, is_fast ? rows * problem.width * 4 : 0);
  if (problem.gradients == Gradients::repeatable) {
    EXPECT_GE(answer.plan->needs.workspace, rows * problem.keys * 2);
  } else {
    EXPECT_LT(answer.plan->needs.workspace, 4096);
  }
}

TEST(AttentionPlans, AreCompiledOncePerProblem) {
  AttentionPlans plans = new_plans();
  const AttentionProblem problem = problem_of(AttentionShape{});
  const cudnn::AttentionPlan* plan = plans.find(problem).plan;
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plans.find(problem).plan, plan);
  AttentionProblem refused = problem;
  refused.width = 20;
  EXPECT_EQ(plans.find(refused).plan, nullptr);
  EXPECT_EQ(plans.find(refused).plan, nullptr);
  EXPECT_EQ(plans.compiled(), 2u);
}

TEST(AttentionPlans, TakeExactlyTheTensorsOfTheirGraph) {
  AttentionPlans plans = new_plans();
  const cudnn::AttentionPlan* plan = plans.find(problem_of(AttentionShape{})).plan;
  ASSERT_NE(plan, nullptr);
  float memory[4] = {};
  std::vector<cudnn::Binding> bindings;
  for (const cudnn::TensorId id : plan->graph.tensors()) bindings.push_back({id, memory});
  EXPECT_EQ(bindings.size(), 5u);  // q, k, v, y, lse
  EXPECT_NO_THROW((void)cudnn::operands(*plan, bindings, memory));
  bindings.pop_back();
  EXPECT_THROW((void)cudnn::operands(*plan, bindings, memory), InternalError);
}

// What a plan is compiled for goes to a text and back; so does a plan.
TEST(AttentionPlans, AreKeptAsText) {
  const DeviceProperties device(h200_properties());
  EXPECT_EQ(DeviceProperties(device.json()).json(), device.json());
  std::string refusal;
  const auto plan =
      cudnn::Plan::compile(cudnn::attention_graph(problem_of(AttentionShape{})), device, refusal);
  ASSERT_TRUE(plan) << refusal;
  const std::string text = plan->json();
  EXPECT_GT(text.size(), 1000u);
  EXPECT_EQ(cudnn::Plan::load(text, device).workspace_bytes(), plan->workspace_bytes());
}

TEST(AttentionProblems, ThatHaveNoPlanSayWhy) {
  const auto reason = [](auto change) {
    AttentionProblem p = problem_of(AttentionShape{});
    change(p);
    return cudnn::reason_against(p);
  };
  EXPECT_EQ(reason([](AttentionProblem&) {}), "");
  EXPECT_EQ(reason([](AttentionProblem& p) { p.dtype = DType::f32; }),
            "attention in fp32; cuDNN computes bf16 and fp16");
  EXPECT_EQ(reason([](AttentionProblem& p) { p.width = 20; }),
            "heads of width 20; cuDNN wants multiples of 8 up to 128");
  EXPECT_EQ(reason([](AttentionProblem& p) { p.width = 256; }),
            "heads of width 256; cuDNN wants multiples of 8 up to 128");
  EXPECT_EQ(reason([](AttentionProblem& p) { p.k.row += 1; }),
            "rows 577 elements apart; cuDNN wants all strides to be multiples of 8");
  EXPECT_EQ(reason([](AttentionProblem& p) { p.keys = 0; }), "there is nothing to do");
  EXPECT_EQ(reason([](AttentionProblem& p) {
              p.causal = true;
              p.keys = 100;
            }),
            "causal attention of 128 queries over 100 keys; the first see none, which cuDNN turns "
            "into NaN");
  EXPECT_EQ(reason([](AttentionProblem& p) {
              p.causal = true;
              p.keys = 200;
              p.drops = Drops::counter;
            }),
            "causal attention of 128 queries over 200 keys with dropout");
}

// What the list of reasons does not know, cuDNN's own words tell.
TEST(AttentionProblems, ThatCudnnRefusesComeBackWithItsReason) {
  DeviceProperties old_device = [] {
    std::string json = h200_properties();
    const std::string version = "\"deviceVer\":900";
    json.replace(json.find(version), version.size(), "\"deviceVer\":600");
    return DeviceProperties(json);
  }();
  AttentionPlans plans(std::move(old_device));
  const AttentionPlans::Answer& answer = plans.find(problem_of(AttentionShape{}));
  EXPECT_EQ(answer.plan, nullptr);
  EXPECT_EQ(answer.refusal.find("attention 2 x 3 x 128 x 128 x 64 bf16: "), 0u) << answer.refusal;
}

TEST(AttentionProblems, AreMadeOfTheBackendsViews) {
  std::vector<std::uint16_t> memory(2 * 7 * 3 * 3 * 8);
  // The parts of a fused [B, T, 3, H, D], as [B, H, T, D].
  const auto part = [&](std::int64_t index) {
    View x = contiguous_view(memory.data() + index * 24, DType::bf16, {2, 3, 7, 8});
    x.strides = {7 * 72, 8, 72, 1};
    return x;
  };
  const View q = part(0), k = part(1), v = part(2);
  std::int32_t lengths[] = {3, 7};
  AttentionOptions options = {.scale = 0.125, .causal = true};
  options.lengths = contiguous_view(lengths, DType::i32, {2});
  options.dropout.p = 0.25;
  const AttentionProblem forward = cudnn::forward_problem(q, q, k, v, options, Drops::counter);
  EXPECT_EQ(cudnn::describe(forward),
            "causal attention 2 x 3 x 7 x 7 x 8 bf16, padded, drawn dropout");
  EXPECT_EQ(forward.k, (cudnn::HeadStrides{7 * 72, 8, 72}));
  EXPECT_EQ(forward.keep, 0.75f);
  const AttentionProblem grad = cudnn::grad_problem(forward, q, k, v, q, /*repeatable=*/true);
  EXPECT_EQ(grad.gradients, Gradients::repeatable);
  EXPECT_EQ(grad.dk, forward.k);
  EXPECT_NE(grad, forward);
  options.dropout.p = 0.0;
  EXPECT_EQ(cudnn::forward_problem(q, q, k, v, options, Drops::counter).drops, Drops::nothing);
}

TEST(CudnnHandle, SaysThatThereIsNoDevice) {
  const std::string message = message_of<DeviceError>([] { cudnn::Handle handle(nullptr); });
  EXPECT_EQ(message.find("cudnnCreate(&handle): "), 0u) << message;
}

}  // namespace
}  // namespace ty::test
