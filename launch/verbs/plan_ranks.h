// `plan CONFIG --linear-ranks LIST`: the model's size for each rank of its factorised layers.
#pragma once

#include "launch/cli/arguments.h"
#include "launch/job/job_config.h"
#include "launch/process/rank.h"

namespace ty {

ExitCode run_plan_ranks(const Arguments& arguments, const JobConfig& job);

}  // namespace ty
