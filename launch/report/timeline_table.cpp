#include "launch/report/timeline_table.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace ty {

std::string format_bubbles(const Timeline& timeline) {
  std::string text = "bubble";
  for (int stage = 0; stage < timeline.shape.stages; ++stage) {
    text += fmt::format("  S{} {:.1f} %", stage + 1, 100.0 * timeline.bubble(stage));
  }
  return text + fmt::format("  all {:.1f} %\n", 100.0 * timeline.bubble());
}

nlohmann::json timeline_json(const Timeline& timeline) {
  nlohmann::json stages = nlohmann::json::array();
  for (const std::vector<Span>& spans : timeline.stages) {
    nlohmann::json list = nlohmann::json::array();
    for (const Span& span : spans) {
      list.push_back({{"action", to_string(span.action, timeline.shape)},
                      {"begin", span.begin},
                      {"end", span.end}});
    }
    stages.push_back(std::move(list));
  }
  return stages;
}

nlohmann::json bubbles_json(const Timeline& timeline) {
  nlohmann::json bubbles = nlohmann::json::array();
  for (int stage = 0; stage < timeline.shape.stages; ++stage) {
    bubbles.push_back(timeline.bubble(stage));
  }
  return bubbles;
}

}  // namespace ty
