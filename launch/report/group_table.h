// Scores of attention heads and MLP channels, for people and programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "models/statistics/group_scores.h"

namespace ty {

// A line for each part of a block: the range of its scores, and which groups have the lowest ones.
std::string format_groups(const std::vector<GroupScores>& groups);

// [{"path": "blocks.0.attn", "groups": "heads", "scores": [..]}, ..]
nlohmann::json to_json(const std::vector<GroupScores>& groups);

}  // namespace ty
