#include "launch/report/update_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "launch/report/text.h"

namespace ty {

namespace {
std::string rate_of(const UpdateGroup& group) {
  return fmt::format("{:g}{}", group.lr, group.is_bounded ? ", bounded" : "");
}

bool is_capped(const UpdateGroup& group) { return group.max_rms > 0.0; }

std::string decay_of(const UpdateGroup& group) {
  if (group.product_decay == 0.0) return fmt::format("{:g}", group.weight_decay);
  return fmt::format("{:g} of the product", group.product_decay);
}
}  // namespace

std::string format_updates(const std::vector<UpdateGroup>& groups) {
  if (groups.empty()) return "";
  const bool has_caps = std::any_of(groups.begin(), groups.end(), is_capped);
  std::vector<std::string> titles = {"parameters", "numbers", "peak lr", "weight decay"};
  if (has_caps) titles.emplace_back("largest rms");
  titles.emplace_back("the first of them");
  Table table(titles);
  for (const UpdateGroup& group : groups) {
    const char* const word = group.is_frozen ? "frozen" : group.is_sum ? "sum" : "";
    const bool has_rate = *word == '\0';
    std::vector<std::string> row = {
        std::to_string(group.parameters), human_count(static_cast<double>(group.numbers)),
        has_rate ? rate_of(group) : word, has_rate ? decay_of(group) : ""};
    if (has_caps) row.push_back(is_capped(group) ? fmt::format("{:.3g}", group.max_rms) : "");
    row.push_back(group.first);
    table.add(row);
  }
  return table.str();
}

namespace {
double share_of(const TrainedShare& one) {
  return static_cast<double>(one.trained) / static_cast<double>(std::max<std::int64_t>(1, one.all));
}
}  // namespace

std::string format_shares(const std::vector<TrainedShare>& shares) {
  if (shares.empty()) return "";
  Table table({"what is trained", "numbers", "of", "%"});
  TrainedShare total = {.rule = "all"};
  const auto add = [&](const TrainedShare& each) {
    table.add({each.rule, std::to_string(each.trained), std::to_string(each.all),
               fmt::format("{:.3g}", 100 * share_of(each))});
  };
  for (const TrainedShare& each : shares) {
    add(each);
    total.trained += each.trained;
    total.all += each.all;
  }
  add(total);
  return table.str();
}

nlohmann::json shares_json(const std::vector<TrainedShare>& shares) {
  nlohmann::json rows = nlohmann::json::array();
  for (const TrainedShare& each : shares) {
    rows.push_back({{"rule", each.rule},
                    {"trained", each.trained},
                    {"parameters", each.all},
                    {"share", share_of(each)}});
  }
  return rows;
}

nlohmann::json updates_json(const std::vector<UpdateGroup>& groups) {
  nlohmann::json rows = nlohmann::json::array();
  for (const UpdateGroup& group : groups) {
    nlohmann::json row = {{"first", group.first},
                          {"parameters", group.parameters},
                          {"numbers", group.numbers},
                          {"frozen", group.is_frozen},
                          {"sum", group.is_sum}};
    if (!group.is_frozen && !group.is_sum) {
      row.update({{"lr", group.lr},
                  {"weight_decay", group.weight_decay},
                  {"product_decay", group.product_decay},
                  {"max_rms", group.max_rms},
                  {"bounded", group.is_bounded}});
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace ty
