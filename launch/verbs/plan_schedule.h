// `trainyard plan schedule`: a bare schedule, simulated and drawn.
#pragma once

#include "launch/cli/arguments.h"
#include "launch/process/rank.h"

namespace ty {

ExitCode run_plan_schedule(const Arguments& arguments, RankStatus& status);

}  // namespace ty
