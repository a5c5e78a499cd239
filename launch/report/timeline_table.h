// Timelines of pipelines, for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "launch/run/stage_times.h"

namespace ty {

// The bubble of each stage and of all together: "bubble  S1 11.1 %  S2 ..  all 11.1 %".
std::string format_bubbles(const Timeline& timeline);
// What the actions of each stage took in a run, and its bubble beside the predicted one.
std::string format_stage_times(const PipelineTimes& times);
// Per stage a list of {action, begin, end}.
nlohmann::json timeline_json(const Timeline& timeline);
// The bubble of each stage.
nlohmann::json bubbles_json(const Timeline& timeline);

}  // namespace ty
