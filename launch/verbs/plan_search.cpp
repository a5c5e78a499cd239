#include "launch/verbs/plan_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "launch/report/text.h"
#include "launch/run/model_setup.h"
#include "launch/run/search.h"

namespace ty {

namespace {

constexpr std::size_t kShown = 12;

nlohmann::json to_json(const SearchResult& result) {
  nlohmann::json all = nlohmann::json::array();
  for (const Candidate& c : result.ranked) {
    all.push_back({{"layout", c.text()},
                   {"overrides", c.overrides()},
                   {"linear_rank", c.linear_rank},
                   {"step_seconds", c.step_seconds},
                   {"peak_bytes", c.peak_bytes},
                   {"bubble", c.bubble},
                   {"fits", c.fits},
                   {"why", c.why}});
  }
  return {{"layouts", all}, {"refused", result.refusals}};
}

void print(const SearchResult& result) {
  Table table({"layout", "step", "peak", "bubble", "why not"});
  for (std::size_t i = 0; i < std::min(kShown, result.ranked.size()); ++i) {
    const Candidate& c = result.ranked[i];
    table.add({c.text(), fmt::format("{:.3g} s", c.step_seconds),
               human_bytes(static_cast<double>(c.peak_bytes)),
               fmt::format("{:.1f} %", 100.0 * c.bubble), c.why});
  }
  fmt::print("{}", table.str());
  if (result.ranked.size() > kShown) {
    fmt::print("  and {} more; --json has them all\n", result.ranked.size() - kShown);
  }
  for (const std::string& refusal : result.refusals) fmt::print("  refused: {}\n", refusal);
  if (result.ranked.front().fits) {
    fmt::print("best  {}\n", fmt::join(result.ranked.front().overrides(), " "));
  }
}

}  // namespace

ExitCode run_plan_search(const Arguments& arguments, const JobConfig& job,
                         const MachineRates& rates, int ranks) {
  SearchOptions options = {.rates = rates};
  if (arguments.flag("--memory")) {
    options.memory_bytes =
        static_cast<std::int64_t>(arguments.number("--memory", 0.0) * 1024 * 1024);
  }
  options.linear_ranks = arguments.integers("--linear-ranks");
  const SearchResult result = search_layouts(job, planned_model(job), ranks, options);
  if (result.ranked.empty()) {
    throw ConfigError(Key{"parallel"}, "no layout of {} ranks can run this job; {}", ranks,
                      result.refusals.front());
  }
  if (arguments.flag("--json")) {
    fmt::print("{}\n", to_json(result).dump());
  } else {
    print(result);
  }
  if (result.ranked.front().fits) return ExitCode::ok;
  throw OutOfMemoryError("no layout of {} ranks fits into --memory {}; the least one takes {}",
                         ranks, human_bytes(static_cast<double>(options.memory_bytes)),
                         human_bytes(static_cast<double>(result.ranked.front().peak_bytes)));
}

}  // namespace ty
