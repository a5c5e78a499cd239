#include "launch/report/memory_table.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "launch/report/text.h"

namespace ty {

std::string format_memory(const MemoryStats& predicted, const MemoryStats* measured) {
  Table table(measured == nullptr ? std::vector<std::string>{"memory", "predicted"}
                                  : std::vector<std::string>{"memory", "predicted", "measured"});
  const auto row = [&](std::string_view name, std::int64_t p, std::int64_t m) {
    std::vector<std::string> cells = {std::string(name), human_bytes(static_cast<double>(p))};
    if (measured != nullptr) cells.push_back(human_bytes(static_cast<double>(m)));
    table.add(std::move(cells));
  };
  for (std::size_t i = 0; i < kMemoryClasses; ++i) {
    row(name_of(static_cast<MemoryClass>(i)), predicted.at_peak[i],
        measured == nullptr ? 0 : measured->at_peak[i]);
  }
  row("peak", predicted.total_peak, measured == nullptr ? 0 : measured->total_peak);
  return table.str();
}

nlohmann::json memory_json(const MemoryStats& memory) {
  nlohmann::json json;
  for (std::size_t i = 0; i < kMemoryClasses; ++i) {
    json[fmt::format("{}_bytes", name_of(static_cast<MemoryClass>(i)))] = memory.at_peak[i];
  }
  json["peak_bytes"] = memory.total_peak;
  return json;
}

}  // namespace ty
