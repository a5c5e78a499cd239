#include "launch/report/timeline_table.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "launch/report/text.h"
#include "parallel/pipeline/messages.h"

namespace ty {

std::string format_bubbles(const Timeline& timeline) {
  std::string text = "bubble";
  for (int stage = 0; stage < timeline.shape.stages; ++stage) {
    text += fmt::format("  S{} {:.1f} %", stage + 1, 100.0 * timeline.bubble(stage));
  }
  return text + fmt::format("  all {:.1f} %\n", 100.0 * timeline.bubble());
}

std::string format_stage_times(const PipelineTimes& times) {
  const PipeShape& shape = times.shape;
  if (times.steps == 0) return "";
  Table table({"stage", "forward", "recompute", "backward", "bubble predicted", "measured",
               "peak predicted", "measured"});
  for (int k = 0; k < shape.virtual_stages(); ++k) {
    const ActionCosts& costs = times.costs.virtual_stages[static_cast<std::size_t>(k)];
    const auto stage = static_cast<std::size_t>(stage_of(k, shape));
    const std::string chunk =
        shape.chunks > 1 ? fmt::format(", chunk {}", k / shape.stages + 1) : "";
    table.add({fmt::format("{}{}", stage + 1, chunk), human_milliseconds(costs.forward),
               human_milliseconds(costs.recompute), human_milliseconds(costs.backward),
               fmt::format("{:.1f} %", 100.0 * times.predictions[stage]),
               fmt::format("{:.1f} %", 100.0 * times.bubbles[stage]),
               human_bytes(times.peaks[stage].predicted),
               human_bytes(times.peaks[stage].measured)});
  }
  return fmt::format("{}  actions of a step  predicted {:.4g} s  measured {:.4g} s\n", table.str(),
                     times.predicted_seconds, times.seconds);
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
