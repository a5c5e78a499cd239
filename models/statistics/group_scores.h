// Scores of what could be left out of a model as a whole, for pruning: of each attention head and
// each channel between the two layers of an MLP (LoRAPrune: arXiv 2305.18403).
//
// A group is its columns in the layers that lead to it (qkv; up) and its rows in the layer that
// leads away (out; down). Its score is the sum of their importances (adapter_importance.h), of the
// layers that have adapters, over the root of the squares of all groups' sums there.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "models/statistics/statistics.h"

namespace ty {

inline constexpr std::string_view kHeads = "heads", kChannels = "channels";

// Of a block's part.
struct GroupScores {
  std::string path;                 // "blocks.0.attn"
  std::string_view groups = {};     // kHeads or kChannels
  std::vector<double> scores = {};  // of each; their squares sum up to 1, or all are 0
};

// Of all parts that have layers with such statistics, in the order of the layers; attention has so
// many heads. `give` returns the lora statistics of the layer at a path.
std::vector<GroupScores> group_scores(
    const std::vector<LinearSite>& layers, std::int64_t heads,
    const std::function<LayerStatistics(const std::string& path)>& give);

}  // namespace ty
