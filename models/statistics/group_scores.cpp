#include "models/statistics/group_scores.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/error.h"

namespace ty {

namespace {

// On which side of a layer the groups lie, by its name in its part.
struct Side {
  std::string_view layer;
  bool is_columns;
};
// Fused columns are head by head.
constexpr std::array kSides = {Side{"qkv", true}, Side{"q", true},    Side{"kv", true},
                               Side{"up", true},  Side{"out", false}, Side{"down", false}};

const Side* side_of(std::string_view layer) {
  const auto* side = std::find_if(kSides.begin(), kSides.end(),
                                  [&](const Side& each) { return each.layer == layer; });
  return side == kSides.end() ? nullptr : side;
}

// Adds the sums of as many equal runs of values as there are groups.
void add_runs(std::vector<double>& groups, const std::vector<double>& values) {
  TY_CHECK(values.size() % groups.size() == 0, "{} numbers of {} groups", values.size(),
           groups.size());
  const std::size_t run = values.size() / groups.size();
  for (std::size_t i = 0; i < values.size(); ++i) groups[i / run] += values[i];
}

void normalise(std::vector<double>& scores) {
  double squares = 0;
  for (const double score : scores) squares += score * score;
  if (squares == 0) return;
  for (double& score : scores) score /= std::sqrt(squares);
}

}  // namespace

std::vector<GroupScores> group_scores(
    const std::vector<LinearSite>& layers, std::int64_t heads,
    const std::function<LayerStatistics(const std::string& path)>& give) {
  std::vector<GroupScores> parts;
  for (const LinearSite& site : layers) {
    const std::size_t dot = site.path.rfind('.');
    const Side* side = side_of(std::string_view(site.path).substr(dot + 1));
    if (side == nullptr || !has_statistic(site, StatisticKind::lora)) continue;
    const std::string path = site.path.substr(0, dot);
    auto part = std::find_if(parts.begin(), parts.end(),
                             [&](const GroupScores& each) { return each.path == path; });
    if (part == parts.end()) {
      const bool is_mlp = path.ends_with(".mlp");
      const std::int64_t inner = side->is_columns ? site.shape.out : site.shape.in;
      const auto count = static_cast<std::size_t>(is_mlp ? inner : heads);
      part = parts.insert(part, {path, is_mlp ? kChannels : kHeads, std::vector<double>(count)});
    }
    const LayerStatistics statistics = give(site.path);
    add_runs(part->scores, side->is_columns ? statistics.lora_columns : statistics.lora_rows);
  }
  for (GroupScores& part : parts) normalise(part.scores);
  return parts;
}

}  // namespace ty
