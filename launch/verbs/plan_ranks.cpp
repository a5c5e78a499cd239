#include "launch/verbs/plan_ranks.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "launch/report/text.h"
#include "launch/run/linear_ranks.h"
#include "launch/run/model_setup.h"

namespace ty {

namespace {

double share(const SizeByRank& size, const SizeByRank& dense) {
  return static_cast<double>(size.parameters) / static_cast<double>(dense.parameters);
}

}  // namespace

ExitCode run_plan_ranks(const Arguments& arguments, const JobConfig& job) {
  const std::vector<SizeByRank> sizes =
      sizes_by_rank(planned_model(job), arguments.integers("--linear-ranks"));
  const SizeByRank& dense = sizes.front();
  if (arguments.flag("--json")) {
    nlohmann::json rows = nlohmann::json::array();
    for (std::size_t i = 1; i < sizes.size(); ++i) {
      rows.push_back({{"rank", sizes[i].rank},
                      {"parameters", sizes[i].parameters},
                      {"share", share(sizes[i], dense)},
                      {"made_of", sizes[i].made_of}});
    }
    fmt::print("{}\n",
               nlohmann::json({{"dense_parameters", dense.parameters}, {"ranks", rows}}).dump());
    return ExitCode::ok;
  }
  Table table({"rank", "parameters", "of dense", "made of"});
  table.add({"dense", std::to_string(dense.parameters), "", ""});
  for (std::size_t i = 1; i < sizes.size(); ++i) {
    table.add({std::to_string(sizes[i].rank), std::to_string(sizes[i].parameters),
               fmt::format("{:.1f} %", 100 * share(sizes[i], dense)), sizes[i].made_of});
  }
  fmt::print("{}", table.str());
  return ExitCode::ok;
}

}  // namespace ty
