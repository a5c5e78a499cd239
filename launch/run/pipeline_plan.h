// What the stages of a job's pipeline will do and when, worked out from the plan of each.
#pragma once

#include <optional>
#include <vector>

#include "launch/run/plan.h"
#include "launch/run/profile.h"
#include "parallel/pipeline/simulate.h"

namespace ty {

// How fast one rank and its links are.
struct MachineRates {
  double flops_per_second = 0.0;               // of matrix products
  double bytes_per_second = 0.0;               // moved by other kernels
  double link_bytes_per_second = 2e9;          // between ranks: shared memory of one machine
  double link_seconds = 30e-6;                 // of a message besides
  double seconds(const StepWork& work) const;  // of one rank's work, its traffic included
};

struct PipelinePlan {
  std::vector<Plan> stages;  // of the first rank of each
  Program program;
  ExecutionOrder order = ExecutionOrder::listed;
  std::optional<Profile> profile = {};  // measured: instead of what rates say about actions

  // Seconds of each action, by the profile or these rates. Throws DataError if the profile is of
  // another model.
  PipeCosts costs(const MachineRates& rates) const;
  // Of one step's actions.
  Timeline timeline(const MachineRates& rates) const;
  // What follows them: the reduction of gradients and the update of weights.
  double seconds_after(const MachineRates& rates) const;
  // Of both.
  double step_seconds(const MachineRates& rates) const;
  // The largest of all ranks.
  std::int64_t peak_bytes() const;
};

// Throws as make_plan() does.
PipelinePlan make_pipeline_plan(const JobConfig& job, const ModelSpec& config, int ranks);

}  // namespace ty
