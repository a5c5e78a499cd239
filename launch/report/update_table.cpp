#include "launch/report/update_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "launch/report/text.h"

namespace ty {

namespace {
std::string decay_of(const UpdateGroup& group) {
  if (group.product_decay == 0.0) return fmt::format("{:g}", group.weight_decay);
  return fmt::format("{:g} of the product", group.product_decay);
}
}  // namespace

std::string format_updates(const std::vector<UpdateGroup>& groups) {
  if (groups.empty()) return "";
  Table table({"parameters", "numbers", "peak lr", "weight decay", "the first of them"});
  for (const UpdateGroup& group : groups) {
    const char* const word = group.is_frozen ? "frozen" : group.is_sum ? "sum" : "";
    const bool has_rate = *word == '\0';
    table.add({std::to_string(group.parameters), human_count(static_cast<double>(group.numbers)),
               has_rate ? fmt::format("{:g}", group.lr) : word, has_rate ? decay_of(group) : "",
               group.first});
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
                  {"product_decay", group.product_decay}});
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace ty
