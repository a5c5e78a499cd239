#include "launch/report/update_table.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "launch/report/text.h"

namespace ty {

std::string format_updates(const std::vector<UpdateGroup>& groups) {
  if (groups.empty()) return "";
  Table table({"parameters", "numbers", "peak lr", "weight decay", "the first of them"});
  for (const UpdateGroup& group : groups) {
    table.add({std::to_string(group.parameters), human_count(static_cast<double>(group.numbers)),
               group.is_frozen ? "frozen" : fmt::format("{:g}", group.lr),
               group.is_frozen ? "" : fmt::format("{:g}", group.weight_decay), group.first});
  }
  return table.str();
}

nlohmann::json updates_json(const std::vector<UpdateGroup>& groups) {
  nlohmann::json rows = nlohmann::json::array();
  for (const UpdateGroup& group : groups) {
    nlohmann::json row = {{"first", group.first},
                          {"parameters", group.parameters},
                          {"numbers", group.numbers},
                          {"frozen", group.is_frozen}};
    if (!group.is_frozen) row.update({{"lr", group.lr}, {"weight_decay", group.weight_decay}});
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace ty
