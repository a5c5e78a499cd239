#include "launch/report/pipeline_table.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "launch/report/memory_table.h"
#include "launch/report/text.h"
#include "launch/report/timeline_table.h"
#include "launch/report/traffic_table.h"
#include "parallel/pipeline/draw.h"
#include "parallel/pipeline/validate.h"

namespace ty {

namespace {

constexpr int kChartColumns = 100;

// "0-3", or "0-3 8-11" of two chunks: of a model's chain of blocks.
std::string blocks_text(const Plan& plan) {
  std::string text;
  for (const BlockRange& range : plan.blocks) {
    text += fmt::format("{}{}-{}", text.empty() ? "" : " ", range.first, range.last - 1);
  }
  return text;
}

}  // namespace

std::string format_pipeline(const PipelinePlan& plan, const MachineRates& rates) {
  if (plan.stages.size() == 1) return "";
  const Timeline timeline = plan.timeline(rates);
  Table table({"stage", "blocks", "parameters", "gradients", "optimizer", "activations", "peak",
               "FLOP", "sent", "alive", "bubble"});
  for (std::size_t s = 0; s < plan.stages.size(); ++s) {
    const Plan& stage = plan.stages[s];
    const auto bytes = [&](MemoryClass c) {
      return human_bytes(static_cast<double>(stage.memory.at_peak[static_cast<std::size_t>(c)]));
    };
    table.add(
        {std::to_string(s + 1), blocks_text(stage), bytes(MemoryClass::parameter),
         bytes(MemoryClass::gradient), bytes(MemoryClass::optimizer),
         bytes(MemoryClass::activation), human_bytes(static_cast<double>(stage.memory.total_peak)),
         human_count(stage.matrix_flops), human_bytes(static_cast<double>(bytes_of(stage.traffic))),
         std::to_string(peak_alive(plan.program, static_cast<int>(s))),
         fmt::format("{:.1f} %", 100.0 * timeline.bubble(static_cast<int>(s)))});
  }
  return fmt::format("{}\n{}", table.str(), draw_text(timeline, kChartColumns));
}

nlohmann::json pipeline_json(const PipelinePlan& plan, const MachineRates& rates) {
  const Timeline timeline = plan.timeline(rates);
  nlohmann::json stages = nlohmann::json::array();
  for (std::size_t s = 0; s < plan.stages.size(); ++s) {
    const Plan& stage = plan.stages[s];
    nlohmann::json blocks = nlohmann::json::array();
    for (const BlockRange& range : stage.blocks) blocks.push_back({range.first, range.last});
    stages.push_back({{"blocks", blocks},
                      {"memory", memory_json(stage.memory)},
                      {"matrix_flops", stage.matrix_flops},
                      {"sent_bytes", bytes_of(stage.traffic)},
                      {"traffic", traffic_json(stage.traffic)},
                      {"peak_alive", peak_alive(plan.program, static_cast<int>(s))},
                      {"bubble", timeline.bubble(static_cast<int>(s))}});
  }
  return {{"stages", stages},
          {"bubble", timeline.bubble()},
          {"seconds", timeline.seconds()},
          {"timeline", timeline_json(timeline)}};
}

}  // namespace ty
