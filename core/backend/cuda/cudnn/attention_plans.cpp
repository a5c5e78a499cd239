#include "core/backend/cuda/cudnn/attention_plans.h"

#include <fmt/format.h>

namespace ty::cudnn {

namespace {

AttentionNeeds needs_of(const AttentionProblem& p, std::int64_t workspace) {
  constexpr std::int64_t kBytes = 4;  // of an fp32 number
  const std::int64_t rows = p.batch * p.heads * p.queries;
  return {.workspace = workspace,
          .row_sum = p.gradients != Gradients::none ? rows * kBytes : 0,
          .query_sum = p.gradients == Gradients::fast ? rows * p.width * kBytes : 0};
}

}  // namespace

AttentionPlans::Entry AttentionPlans::compile(const AttentionProblem& problem) const {
  std::string refusal = reason_against(problem);
  if (!refusal.empty()) return {nullptr, {nullptr, std::move(refusal)}};
  Graph graph = problem.gradients == Gradients::none ? attention_graph(problem)
                                                     : attention_grad_graph(problem);
  std::optional<Plan> plan = Plan::compile(graph, device_, refusal);
  if (!plan) return {nullptr, {nullptr, fmt::format("{}: {}", describe(problem), refusal)}};
  const AttentionNeeds needs = needs_of(problem, plan->workspace_bytes());
  auto entry =
      std::make_unique<AttentionPlan>(AttentionPlan{std::move(graph), std::move(*plan), needs});
  const AttentionPlan* found = entry.get();
  return {std::move(entry), {found, ""}};
}

const AttentionPlans::Answer& AttentionPlans::find(const AttentionProblem& problem) {
  auto known = plans_.find(problem);
  if (known == plans_.end()) known = plans_.emplace(problem, compile(problem)).first;
  return known->second.answer;
}

}  // namespace ty::cudnn
