#include "launch/report/compression_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "launch/report/text.h"
#include "models/huggingface/linear_format.h"

namespace ty {

namespace {

// Numbers of a map, or of several together.
struct Sizes {
  std::int64_t parameters_before = 0, parameters_after = 0;  // bias excluded
  double flops_before = 0, flops_after = 0;                  // forward, per token

  void add(const Sizes& other) {
    parameters_before += other.parameters_before;
    parameters_after += other.parameters_after;
    flops_before += other.flops_before;
    flops_after += other.flops_after;
  }
};

Sizes sizes_of(const CompressedMap& map, std::int64_t tokens) {
  const auto n = static_cast<double>(tokens);
  const LinearSite after = map.site();
  return {num_weights(map.before.spec, map.before.stored()),
          num_weights(after.spec, after.stored()),
          forward_flops(map.before.spec, map.before.shape, tokens) / n,
          forward_flops(after.spec, after.shape, tokens) / n};
}

std::vector<std::string> cells(const Sizes& sizes) {
  const auto count = [](std::int64_t n) { return human_count(static_cast<double>(n)); };
  return {count(sizes.parameters_before), count(sizes.parameters_after),
          human_count(sizes.flops_before), human_count(sizes.flops_after)};
}

void add_row(Table& table, std::vector<std::string> row, const Sizes& sizes) {
  for (std::string& cell : cells(sizes)) row.push_back(std::move(cell));
  table.add(std::move(row));
}

double ratio_of(const Compression& c) {
  return static_cast<double>(c.parameters_after) / static_cast<double>(c.parameters_before);
}

}  // namespace

std::string to_text(const Compression& compression) {
  Table table({"map", "in x out", "becomes", "error", "weights", "after", "FLOP/token", "after"});
  Sizes all;
  for (const CompressedMap& map : compression.maps) {
    const Sizes sizes = sizes_of(map, compression.tokens);
    all.add(sizes);
    add_row(table,
            {map.before.path, fmt::format("{} x {}", map.before.shape.in, map.before.shape.out),
             describe(map.after.spec), fmt::format("{:.2f} %", 100 * map.relative_error)},
            sizes);
  }
  const std::size_t count = compression.maps.size();
  add_row(table, {fmt::format("{} map{}", count, count == 1 ? "" : "s"), "", "", ""}, all);
  return table.str() + fmt::format(
                           "  parameters of the model: {} -> {}, {:.1f} %\n"
                           "  FLOP/token: forward, {} tokens at once\n",
                           count_with_digits(compression.parameters_before),
                           count_with_digits(compression.parameters_after),
                           100 * ratio_of(compression), compression.tokens);
}

nlohmann::json to_json(const Compression& compression) {
  nlohmann::json maps = nlohmann::json::array();
  for (const CompressedMap& map : compression.maps) {
    const Sizes sizes = sizes_of(map, compression.tokens);
    maps.push_back({{"path", map.before.path},
                    {"in", map.before.shape.in},
                    {"out", map.before.shape.out},
                    {"spec", linear_spec_to_json(map.after.spec)},
                    {"relative_error", map.relative_error},
                    {"parameters_before", sizes.parameters_before},
                    {"parameters_after", sizes.parameters_after},
                    {"flops_per_token_before", sizes.flops_before},
                    {"flops_per_token_after", sizes.flops_after}});
  }
  return {{"maps", maps},
          {"parameters_before", compression.parameters_before},
          {"parameters_after", compression.parameters_after},
          {"ratio", ratio_of(compression)}};
}

}  // namespace ty
