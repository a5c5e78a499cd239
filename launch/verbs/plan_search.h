// `trainyard plan CONFIG -n N --search`: which layout of a job would be quickest.
#pragma once

#include "launch/cli/arguments.h"
#include "launch/process/rank.h"
#include "launch/run/pipeline_plan.h"

namespace ty {

ExitCode run_plan_search(const Arguments& arguments, const JobConfig& job,
                         const MachineRates& rates, int ranks);

}  // namespace ty
