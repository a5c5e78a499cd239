// Timelines of pipelines, for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "parallel/pipeline/timeline.h"

namespace ty {

// The bubble of each stage and of all together: "bubble  S1 11.1 %  S2 ..  all 11.1 %".
std::string format_bubbles(const Timeline& timeline);
// Per stage a list of {action, begin, end}.
nlohmann::json timeline_json(const Timeline& timeline);
// The bubble of each stage.
nlohmann::json bubbles_json(const Timeline& timeline);

}  // namespace ty
