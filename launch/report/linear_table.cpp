#include "launch/report/linear_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "launch/report/text.h"
#include "models/huggingface/linear_format.h"
#include "models/transformer/token_table.h"

namespace ty {

namespace {

// "blocks.3.mlp.up" -> "blocks.*.mlp.up".
std::string without_numbers(const std::string& path) {
  std::string result;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const bool starts = i > 0 && path[i - 1] == '.';
    if (starts && path[i] >= '0' && path[i] <= '9') {
      while (i + 1 < path.size() && path[i + 1] != '.') ++i;
      result += '*';
    } else {
      result += path[i];
    }
  }
  return result;
}

// Layers that print alike, in the order of their first.
struct AlikeLayers {
  LinearSite site;
  std::int64_t count = 0;
};
std::vector<AlikeLayers> grouped(const std::vector<LinearSite>& sites) {
  std::vector<AlikeLayers> groups;
  for (const LinearSite& site : sites) {
    const std::string path = without_numbers(site.path);
    bool found = false;
    for (AlikeLayers& group : groups) {
      found = group.site.path == path && group.site.spec == site.spec &&
              group.site.layout == site.layout;
      if (found) ++group.count;
      if (found) break;
    }
    if (!found) groups.push_back({{path, site.shape, site.spec, site.readers, site.layout}, 1});
  }
  return groups;
}

Execution runs_as(const LinearSite& site, std::int64_t tokens, bool shared) {
  const auto product = product_of(site);
  if (!product) return {};
  const Execution runs = execution_of(product->spec, product->shape, tokens);
  constexpr const char* kShared = "W once per step";
  return shared && !runs.forward.empty() ? Execution{kShared, kShared} : runs;
}

// "split"; nothing where one rank has the layer.
std::string name_of(LinearLayout layout) {
  switch (layout) {
    case LinearLayout::automatic:
      return "";
    case LinearLayout::split:
      return "split";
    case LinearLayout::whole:
      return "whole";
    case LinearLayout::rank:
      return "rank";
    case LinearLayout::hidden:
      return "hidden";
  }
  return "";
}

// Why: "sends 1.50 KiB a token, not 6.00 KiB; 1.2x the work", or why nothing else could be.
std::string reason_of(const LayoutChoice& choice) {
  if (!choice.only.empty()) return choice.only;
  const double work = choice.cost.seconds / choice.other.seconds;
  return fmt::format("sends {} a token, not {}{}", human_bytes(choice.cost.sent_bytes),
                     human_bytes(choice.other.sent_bytes),
                     std::abs(work - 1) < 0.05 ? "" : fmt::format("; {:.1f}x the work", work));
}

// "whole: sends 1.50 KiB a token, not 6.00 KiB"
std::string layout_words(const LayoutChoice& choice) {
  if (choice.layout == LinearLayout::automatic) return "";
  return fmt::format("{}: {}", name_of(choice.layout), reason_of(choice));
}

}  // namespace

std::string format_linear_sites(const std::vector<LinearSite>& sites, std::int64_t tokens,
                                bool shared) {
  const bool is_shared = std::any_of(sites.begin(), sites.end(), [](const LinearSite& site) {
    return site.layout.layout != LinearLayout::automatic;
  });
  std::vector<std::string> header = {
      "linear layer", "layers", "shape", "weights", "of dense", "made of", "forward / backward"};
  if (is_shared) header.emplace_back("each rank's part");
  Table table(std::move(header));
  for (const AlikeLayers& group : grouped(sites)) {
    const LinearShape& shape = group.site.shape;
    const auto weights = static_cast<double>(num_weights(group.site.spec, shape));
    const auto dense = static_cast<double>(shape.in) * static_cast<double>(shape.out);
    std::string plan;
    const Execution runs = runs_as(group.site, tokens, shared);
    if (!runs.forward.empty()) {
      plan = shared ? runs.forward : fmt::format("{} / {}", runs.forward, runs.backward);
    }
    std::vector<std::string> row = {group.site.path,
                                    std::to_string(group.count),
                                    fmt::format("[{}, {}]", shape.in, shape.out),
                                    human_count(weights),
                                    fmt::format("{:.0f} %", 100 * weights / dense),
                                    describe(group.site.spec),
                                    plan};
    if (is_shared) row.push_back(layout_words(group.site.layout));
    table.add(std::move(row));
  }
  return table.str();
}

nlohmann::json linear_sites_json(const std::vector<LinearSite>& sites, std::int64_t tokens,
                                 bool shared) {
  nlohmann::json rows = nlohmann::json::array();
  for (const LinearSite& site : sites) {
    nlohmann::json row = {{"path", site.path},
                          {"in", site.shape.in},
                          {"out", site.shape.out},
                          {"spec", linear_spec_to_json(site.spec)},
                          {"weights", num_weights(site.spec, site.shape)}};
    if (site.layout.layout != LinearLayout::automatic) {
      row["layout"] = name_of(site.layout.layout);
      row["layout_reason"] = reason_of(site.layout);
    }
    const Execution runs = runs_as(site, tokens, shared);
    if (!runs.forward.empty()) {
      row["forward"] = runs.forward;
      row["backward"] = runs.backward;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace ty
