#include "launch/report/group_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "launch/report/text.h"

namespace ty {

namespace {

// The numbers of groups by increasing score.
std::vector<std::size_t> by_score(const std::vector<double>& scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  return order;
}

}  // namespace

std::string format_groups(const std::vector<GroupScores>& groups) {
  constexpr std::size_t kShown = 8;
  Table table({"importance by lora", "groups", "least", "median", "largest", "lowest first"});
  for (const GroupScores& part : groups) {
    std::vector<std::size_t> order = by_score(part.scores);
    const auto score = [&](std::size_t place) {
      return fmt::format("{:.2e}", part.scores[order[place]]);
    };
    std::vector<std::string> row = {part.path, fmt::format("{} {}", order.size(), part.groups),
                                    score(0), score(order.size() / 2), score(order.size() - 1)};
    const bool is_cut = order.size() > kShown;
    if (is_cut) order.resize(kShown);
    row.push_back(fmt::format("{}{}", fmt::join(order, " "), is_cut ? " .." : ""));
    table.add(std::move(row));
  }
  return table.str();
}

nlohmann::json to_json(const std::vector<GroupScores>& groups) {
  nlohmann::json json = nlohmann::json::array();
  for (const GroupScores& part : groups) {
    json.push_back({{"path", part.path}, {"groups", part.groups}, {"scores", part.scores}});
  }
  return json;
}

}  // namespace ty
