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

// Of the calls in a piece of work, over links that a profile has measured.
double seconds_of_calls(const StepWork& work, const Profile::Link* link) {
  if (link == nullptr) return 0.0;
  return work.calls * link->seconds + work.sent_bytes / link->bytes_per_second;
}

// The blocks' own times, which tensor ranks share, and which micro-batches of another size take in
// proportion; and what the ranks send each other inside of them.
ActionCosts profiled(const Profile& profile, const BlockRange& range, const ChunkWork& work,
                     const Plan& plan) {
  if (range.last > profile.blocks.size()) {
    throw DataError("the profile has {} blocks, the model more: profile this model",
                    profile.blocks.size());
  }
  const Profile::Link* tensor = profile.link("tensor");
  ActionCosts sum = {seconds_of_calls(work.forward, tensor),
                     seconds_of_calls(work.recompute, tensor),
                     seconds_of_calls(work.backward, tensor)};
  const double share =
      static_cast<double>(plan.tokens_per_pass) / profile.tokens / plan.mesh.tensor;
  const bool recomputes = work.recompute.bytes > 0;
  for (std::size_t i = range.first; i < range.last; ++i) {
    const ActionCosts& block = profile.blocks[i].seconds;
    sum.forward += block.forward * share;
    sum.recompute += recomputes ? block.recompute * share : 0.0;
    sum.backward += block.backward * share;
  }
  return sum;
}

}  // namespace

PipeCosts PipelinePlan::costs(const MachineRates& rates) const {
  PipeCosts costs;
  for (int k = 0; k < program.shape.virtual_stages(); ++k) {
    const Plan& plan = stages[static_cast<std::size_t>(stage_of(k, program.shape))];
    const auto chunk = static_cast<std::size_t>(k / program.shape.stages);
    const ChunkWork& work = plan.chunks[chunk];
    costs.virtual_stages.push_back(profile ? profiled(*profile, plan.blocks[chunk], work, plan)
                                           : ActionCosts{.forward = rates.seconds(work.forward),
                                                         .recompute = rates.seconds(work.recompute),
                                                         .backward = rates.seconds(work.backward)});
  }
  const Profile::Link* measured = profile ? profile->link("pipeline") : nullptr;
  costs.message = measured != nullptr
                      ? measured->seconds + stages[0].message_bytes / measured->bytes_per_second
                      : rates.link_seconds + stages[0].message_bytes / rates.link_bytes_per_second;
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
