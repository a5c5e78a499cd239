#include "launch/report/compression_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "launch/report/text.h"
#include "models/huggingface/linear_format.h"

namespace ty {

namespace {

// Numbers of a layer, or of several together.
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

Sizes sizes_of(const CompressedLayer& layer, std::int64_t tokens) {
  const auto n = static_cast<double>(tokens);
  const LinearSite after = layer.site();
  return {num_weights(layer.before.spec, layer.before.stored()),
          num_weights(after.spec, after.stored()),
          forward_flops(layer.before.spec, layer.before.shape, tokens) / n,
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
  Table table({"layer", "in x out", "becomes", "error", "weights", "after", "FLOP/token", "after"});
  Sizes all;
  for (const CompressedLayer& layer : compression.layers) {
    const Sizes sizes = sizes_of(layer, compression.tokens);
    all.add(sizes);
    add_row(
        table,
        {layer.before.path, fmt::format("{} x {}", layer.before.shape.in, layer.before.shape.out),
         describe(layer.after.spec), fmt::format("{:.2f} %", 100 * layer.relative_error)},
        sizes);
  }
  const std::size_t count = compression.layers.size();
  add_row(table, {fmt::format("{} layer{}", count, count == 1 ? "" : "s"), "", "", ""}, all);
  return table.str() + fmt::format(
                           "  parameters of the model: {} -> {}, {:.1f} %\n"
                           "  FLOP/token: forward, {} tokens at once\n",
                           count_with_digits(compression.parameters_before),
                           count_with_digits(compression.parameters_after),
                           100 * ratio_of(compression), compression.tokens);
}

nlohmann::json to_json(const Compression& compression) {
  nlohmann::json layers = nlohmann::json::array();
  for (const CompressedLayer& layer : compression.layers) {
    const Sizes sizes = sizes_of(layer, compression.tokens);
    layers.push_back({{"path", layer.before.path},
                      {"in", layer.before.shape.in},
                      {"out", layer.before.shape.out},
                      {"spec", linear_spec_to_json(layer.after.spec)},
                      {"relative_error", layer.relative_error},
                      {"parameters_before", sizes.parameters_before},
                      {"parameters_after", sizes.parameters_after},
                      {"flops_per_token_before", sizes.flops_before},
                      {"flops_per_token_after", sizes.flops_after}});
  }
  return {{"maps", layers},
          {"parameters_before", compression.parameters_before},
          {"parameters_after", compression.parameters_after},
          {"ratio", ratio_of(compression)}};
}

}  // namespace ty
