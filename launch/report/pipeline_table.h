// What the stages of a pipeline will do, for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "launch/run/pipeline_plan.h"

namespace ty {

// A row per stage: its blocks, memory by class, arithmetic, messages and bubble; then the chart of
// a step. Empty without a pipeline.
std::string format_pipeline(const PipelinePlan& plan, const MachineRates& rates);
// Per stage: blocks, memory, matrix_flops, sent_bytes, traffic, bubble; and of all the timeline of
// a step's actions, its seconds and bubble.
nlohmann::json pipeline_json(const PipelinePlan& plan, const MachineRates& rates);

}  // namespace ty
