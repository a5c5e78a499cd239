#include "launch/linear_table.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "launch/text.h"
#include "models/linear/ttm_planner.h"
#include "models/linear/ttm_spec.h"

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

// Maps that print alike, in the order of their first.
struct Group {
  LinearSite site;
  std::int64_t count = 0;
};
std::vector<Group> grouped(const std::vector<LinearSite>& sites) {
  std::vector<Group> groups;
  for (const LinearSite& site : sites) {
    const std::string path = without_numbers(site.path);
    bool found = false;
    for (Group& group : groups) {
      found = group.site.path == path && group.site.spec == site.spec;
      if (found) ++group.count;
      if (found) break;
    }
    if (!found) groups.push_back({{path, site.shape, site.spec}, 1});
  }
  return groups;
}

// How a TTM map runs.
struct Execution {
  std::string forward, backward;
};
Execution execution_of(const TtmSpec& spec, const LinearShape& shape, std::int64_t tokens,
                       bool shared) {
  constexpr const char* kShared = "W once per step";
  if (shared) return {kShared, kShared};
  const TtmPlan plan = choose_ttm_plan({shape_of(spec), shape.in, shape.out}, tokens).plan;
  return {to_string(plan.forward), to_string(plan.backward)};
}

}  // namespace

std::string format_linear_sites(const std::vector<LinearSite>& sites, std::int64_t tokens,
                                bool shared) {
  Table table(
      {"linear map", "maps", "shape", "weights", "of dense", "made of", "forward / backward"});
  for (const Group& group : grouped(sites)) {
    const LinearShape& shape = group.site.shape;
    const auto weights = static_cast<double>(num_weights(group.site.spec, shape));
    const auto dense = static_cast<double>(shape.in) * static_cast<double>(shape.out);
    std::string plan;
    if (const auto* ttm = std::get_if<TtmSpec>(&group.site.spec)) {
      const Execution runs = execution_of(*ttm, shape, tokens, shared);
      plan = shared ? runs.forward : fmt::format("{} / {}", runs.forward, runs.backward);
    }
    table.add({group.site.path, std::to_string(group.count),
               fmt::format("[{}, {}]", shape.in, shape.out), human_count(weights),
               fmt::format("{:.0f} %", 100 * weights / dense), describe(group.site.spec), plan});
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
                          {"kind", kind_name(site.spec)},
                          {"weights", num_weights(site.spec, site.shape)}};
    if (const auto* ttm = std::get_if<TtmSpec>(&site.spec)) {
      const Execution runs = execution_of(*ttm, site.shape, tokens, shared);
      row["in_modes"] = ttm->in;
      row["out_modes"] = ttm->out;
      row["ranks"] = ttm->ranks;
      row["forward"] = runs.forward;
      row["backward"] = runs.backward;
    } else if (const auto* svd = std::get_if<SvdSpec>(&site.spec)) {
      row["rank"] = svd->rank;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace ty
