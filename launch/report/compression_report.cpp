#include "launch/report/compression_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "launch/report/text.h"
#include "models/huggingface/linear_format.h"
#include "models/linear/kinds.h"
#include "models/transformer/token_table.h"

namespace ty {

namespace {

// Numbers of a layer, or of several together.
struct Sizes {
  std::int64_t parameters_before = 0, parameters_after = 0;  // bias excluded
  double flops_before = 0, flops_after = 0;                  // forward, per token
  // Of a forward and backward pass, by the model that plans are made with (rank_work.h).
  double seconds_before = 0, seconds_after = 0;

  void add(const Sizes& other) {
    parameters_before += other.parameters_before;
    parameters_after += other.parameters_after;
    flops_before += other.flops_before;
    flops_after += other.flops_after;
    seconds_before += other.seconds_before;
    seconds_after += other.seconds_after;
  }
};

double pass_seconds(const LinearSite& site) {
  return work_of(site.spec, site.shape, LinearLayout::whole, Split::none, {}).seconds;
}

// A table that only ids read multiplies nothing.
Sizes sizes_of(const CompressedLayer& layer, std::int64_t tokens) {
  const auto n = static_cast<double>(tokens);
  const LinearSite after_cut = layer.site();
  Sizes sizes = {num_weights(layer.before.spec, layer.before.shape),
                 num_weights(after_cut.spec, after_cut.shape)};
  const auto before = product_of(layer.before), after = product_of(after_cut);
  if (!before || !after) return sizes;
  sizes.flops_before = forward_flops(before->spec, before->shape, tokens) / n;
  sizes.flops_after = forward_flops(after->spec, after->shape, tokens) / n;
  sizes.seconds_before = pass_seconds(*before);
  sizes.seconds_after = pass_seconds(*after);
  return sizes;
}

std::vector<std::string> cells(const Sizes& sizes) {
  const auto count = [](std::int64_t n) { return human_count(static_cast<double>(n)); };
  std::vector<std::string> all = {count(sizes.parameters_before), count(sizes.parameters_after)};
  if (sizes.seconds_before == 0) return all;
  all.push_back(human_count(sizes.flops_before));
  all.push_back(human_count(sizes.flops_after));
  all.push_back(fmt::format("{:.0f} %", 100 * sizes.seconds_after / sizes.seconds_before));
  return all;
}

nlohmann::json time_ratio(const Sizes& sizes) {
  if (sizes.seconds_before == 0) return nullptr;
  return sizes.seconds_after / sizes.seconds_before;
}

void add_row(Table& table, std::vector<std::string> row, const Sizes& sizes) {
  for (std::string& cell : cells(sizes)) row.push_back(std::move(cell));
  table.add(std::move(row));
}

// A norm in which errors are told.
struct ErrorColumn {
  const char* name;
  const char* key;
  std::optional<double> (*of)(const CompressedLayer& layer);
};
constexpr std::array kErrors = {
    ErrorColumn{"error", "relative_error",
                [](const CompressedLayer& l) { return std::optional(l.relative_error); }},
    ErrorColumn{"by Fisher", "fisher_error",
                [](const CompressedLayer& l) { return l.fisher_error; }},
    ErrorColumn{"of outputs", "output_error",
                [](const CompressedLayer& l) { return l.output_error; }},
};

// Those that are known of some layer.
std::vector<ErrorColumn> error_columns(const Compression& compression) {
  std::vector<ErrorColumn> known;
  for (const ErrorColumn& column : kErrors) {
    const auto has = [&](const CompressedLayer& layer) { return column.of(layer).has_value(); };
    if (std::any_of(compression.layers.begin(), compression.layers.end(), has)) {
      known.push_back(column);
    }
  }
  return known;
}

double ratio_of(const Compression& c) {
  return static_cast<double>(c.parameters_after) / static_cast<double>(c.parameters_before);
}

}  // namespace

std::string to_text(const Compression& compression) {
  const std::vector<ErrorColumn> errors = error_columns(compression);
  // What layers were, if that is not dense throughout.
  const bool tells_kind =
      std::any_of(compression.layers.begin(), compression.layers.end(),
                  [](const CompressedLayer& layer) { return !is_dense(layer.before.spec); });
  std::vector<std::string> header = {"layer", "in x out"};
  if (tells_kind) header.emplace_back("was");
  header.emplace_back("becomes");
  for (const ErrorColumn& column : errors) header.emplace_back(column.name);
  for (const char* name : {"weights", "after", "FLOP/token", "after", "time"})
    header.emplace_back(name);
  Table table(std::move(header));
  Sizes all;
  for (const CompressedLayer& layer : compression.layers) {
    const Sizes sizes = sizes_of(layer, compression.tokens);
    all.add(sizes);
    std::vector<std::string> row = {
        layer.before.path, fmt::format("{} x {}", layer.before.shape.in, layer.before.shape.out)};
    if (tells_kind) row.push_back(describe(layer.before.spec));
    row.push_back(describe(layer.after.spec));
    for (const ErrorColumn& column : errors) {
      const std::optional<double> error = column.of(layer);
      row.push_back(error ? fmt::format("{:.2f} %", 100 * *error) : "");
    }
    add_row(table, std::move(row), sizes);
  }
  const std::size_t count = compression.layers.size();
  std::vector<std::string> last(tells_kind ? 4 : 3);
  last.resize(last.size() + errors.size());
  last[0] = fmt::format("{} layer{}", count, count == 1 ? "" : "s");
  add_row(table, std::move(last), all);
  return table.str() +
         fmt::format(
             "  parameters of the model: {} -> {}, {:.1f} %\n"
             "  FLOP/token: forward, {} tokens at once; time: predicted, of a forward "
             "and backward pass, against before\n",
             count_with_digits(compression.parameters_before),
             count_with_digits(compression.parameters_after), 100 * ratio_of(compression),
             compression.tokens);
}

nlohmann::json to_json(const Compression& compression) {
  nlohmann::json layers = nlohmann::json::array();
  for (const CompressedLayer& layer : compression.layers) {
    const Sizes sizes = sizes_of(layer, compression.tokens);
    layers.push_back({{"path", layer.before.path},
                      {"in", layer.before.shape.in},
                      {"out", layer.before.shape.out},
                      {"spec", linear_spec_to_json(layer.after.spec)},
                      {"parameters_before", sizes.parameters_before},
                      {"parameters_after", sizes.parameters_after},
                      {"flops_per_token_before", sizes.flops_before},
                      {"flops_per_token_after", sizes.flops_after},
                      {"predicted_time_ratio", time_ratio(sizes)}});
    if (!is_dense(layer.before.spec)) {
      layers.back()["spec_before"] = linear_spec_to_json(layer.before.spec);
    }
    for (const ErrorColumn& column : kErrors) {
      if (const auto error = column.of(layer)) layers.back()[column.key] = *error;
    }
  }
  return {{"maps", layers},
          {"parameters_before", compression.parameters_before},
          {"parameters_after", compression.parameters_after},
          {"ratio", ratio_of(compression)}};
}

}  // namespace ty
