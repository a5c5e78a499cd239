#include "launch/run/pipeline_plan.h"

#include <algorithm>

#include "core/base/error.h"
#include "launch/run/stages.h"

namespace ty {

double MachineRates::seconds(const StepWork& work) const {
  return work.flops / flops_per_second + work.bytes / bytes_per_second +
         work.sent_bytes / link_bytes_per_second + work.calls * link_seconds;
}

namespace {

// The blocks' own times; tensor ranks share them, and micro-batches of other sizes take in
// proportion.
ActionCosts profiled(const Profile& profile, const BlockRange& range, const Plan& plan,
                     bool recompute) {
  if (range.last > profile.blocks.size()) {
    throw DataError("the profile has {} blocks, the model more: profile this model",
                    profile.blocks.size());
  }
  const double share =
      static_cast<double>(plan.tokens_per_pass) / profile.tokens / plan.mesh.tensor;
  ActionCosts sum = {0.0, 0.0, 0.0};
  for (std::size_t i = range.first; i < range.last; ++i) {
    const ActionCosts& block = profile.blocks[i].seconds;
    sum.forward += block.forward * share;
    sum.recompute += recompute ? block.recompute * share : 0.0;
    sum.backward += block.backward * share;
  }
  return sum;
}

}  // namespace

PipeCosts PipelinePlan::costs(const MachineRates& rates) const {
  PipeCosts costs;
  if (profile) {
    for (int k = 0; k < program.shape.virtual_stages(); ++k) {
      const Plan& plan = stages[static_cast<std::size_t>(stage_of(k, program.shape))];
      const auto chunk = static_cast<std::size_t>(k / program.shape.stages);
      costs.virtual_stages.push_back(
          profiled(*profile, plan.blocks[chunk], plan, program.shape.recompute));
    }
    if (const Profile::Link* link = profile->link("pipeline")) {
      costs.message = link->seconds + stages[0].message_bytes / link->bytes_per_second;
    }
    return costs;
  }
  for (int k = 0; k < program.shape.virtual_stages(); ++k) {
    const Plan& plan = stages[static_cast<std::size_t>(stage_of(k, program.shape))];
    const ChunkWork& work = plan.chunks[static_cast<std::size_t>(k / program.shape.stages)];
    costs.virtual_stages.push_back({.forward = rates.seconds(work.forward),
                                    .recompute = rates.seconds(work.recompute),
                                    .backward = rates.seconds(work.backward)});
  }
  costs.message = rates.link_seconds + stages[0].message_bytes / rates.link_bytes_per_second;
  return costs;
}

Timeline PipelinePlan::timeline(const MachineRates& rates) const {
  return simulate(program, costs(rates), order);
}

double PipelinePlan::seconds_after(const MachineRates& rates) const {
  double longest = 0.0;
  for (const Plan& plan : stages) longest = std::max(longest, rates.seconds(plan.after_actions));
  return longest;
}

double PipelinePlan::step_seconds(const MachineRates& rates) const {
  return timeline(rates).seconds() + seconds_after(rates);
}

std::int64_t PipelinePlan::peak_bytes() const {
  std::int64_t peak = 0;
  for (const Plan& plan : stages) peak = std::max(peak, plan.memory.total_peak);
  return peak;
}

PipelinePlan make_pipeline_plan(const JobConfig& job, const ModelSpec& config, int ranks) {
  PipelinePlan plan;
  const MeshShape mesh = mesh_shape(job, ranks);
  plan.program = program_maker(job)(pipe_shape(job, mesh, 0));
  plan.order = execution_order(job);
  for (int stage = 0; stage < mesh.pipeline; ++stage) {
    plan.stages.push_back(make_plan(job, config, ranks, stage));
  }
  return plan;
}

}  // namespace ty
