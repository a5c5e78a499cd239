#include "launch/report/traffic_table.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "launch/report/text.h"

namespace ty {

namespace {

std::string cell(const CommCounts& counts) {
  return fmt::format("{} in {} call{}", human_bytes(static_cast<double>(counts.bytes)),
                     counts.calls, counts.calls == 1 ? "" : "s");
}

}  // namespace

std::string format_traffic(const Traffic& predicted, const Traffic* measured) {
  Table table(measured == nullptr
                  ? std::vector<std::string>{"sent per step", "predicted"}
                  : std::vector<std::string>{"sent per step", "predicted", "measured"});
  bool is_empty = true;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const TrafficRow& row = predicted[i];
    if (row.counts.bytes == 0 && (measured == nullptr || (*measured)[i].counts.bytes == 0)) {
      continue;
    }
    is_empty = false;
    std::vector<std::string> cells = {fmt::format("{} {}", row.axis, name_of(row.call)),
                                      cell(row.counts)};
    if (measured != nullptr) cells.push_back(cell((*measured)[i].counts));
    table.add(std::move(cells));
  }
  return is_empty ? "" : table.str();
}

nlohmann::json traffic_json(const Traffic& traffic) {
  nlohmann::json json = nlohmann::json::object();
  for (const TrafficRow& row : traffic) {
    if (row.counts.bytes == 0) continue;
    json[std::string(row.axis)][std::string(name_of(row.call))] = {{"calls", row.counts.calls},
                                                                   {"bytes", row.counts.bytes}};
  }
  return json;
}

}  // namespace ty
