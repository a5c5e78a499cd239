#include "launch/run/plan.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "launch/job/limits.h"
#include "launch/report/linear_table.h"
#include "launch/report/memory_table.h"
#include "launch/report/text.h"
#include "launch/report/traffic_table.h"
#include "launch/run/job_check.h"
#include "launch/run/machine_ceiling.h"
#include "launch/run/model_setup.h"
#include "launch/verbs/verbs.h"

namespace ty {

namespace {

Plan plan_of(const Arguments& arguments) {
  std::optional<int> ranks;
  if (arguments.flag("--ranks")) ranks = static_cast<int>(arguments.integer("--ranks", 1));
  const auto job = load_checked_job(arguments.word(0, "the job file"), arguments.overrides, ranks);
  return config::with_places(job.origins, [&] {
    return make_plan(job.value, planned_model(job.value), stated_mesh(job.value).size());
  });
}

ExitCode run_plan(const Arguments& arguments, RankStatus&) {
  const Plan plan = plan_of(arguments);
  const auto backend = make_backend(DeviceChoice::cpu);
  const MachineCeiling ceiling = measure_ceiling(*backend, 0.3);
  const double seconds =
      estimate_step_seconds(plan, ceiling.gemm_flops_per_second, ceiling.copy_bytes_per_second);
  if (arguments.flag("--json")) {
    const nlohmann::json json = {
        {"parameters", plan.parameters},
        {"ranks", plan.mesh.size()},
        {"memory", memory_json(plan.memory)},
        {"matrix_flops", plan.matrix_flops},
        {"sent_bytes", bytes_of(plan.traffic)},
        {"traffic", traffic_json(plan.traffic)},
        {"tokens", plan.tokens},
        {"linear", linear_sites_json(plan.linear, plan.tokens_per_pass, plan.reuses_weights)},
        {"step_seconds", seconds}};
    fmt::print("{}\n", json.dump());
    return ExitCode::ok;
  }
  fmt::print("parameters {}  ({})\n", plan.parameters, describe(plan.mesh));
  fmt::print("{}", format_linear_sites(plan.linear, plan.tokens_per_pass, plan.reuses_weights));
  fmt::print("{}{}", format_memory(plan.memory, nullptr), format_traffic(plan.traffic, nullptr));
  fmt::print("step  {}FLOP per rank, {} sent per rank, about {:.3g} s at this machine's {}FLOP/s\n",
             human_count(plan.matrix_flops),
             human_bytes(static_cast<double>(bytes_of(plan.traffic))), seconds,
             human_count(ceiling.gemm_flops_per_second));
  return ExitCode::ok;
}

}  // namespace

const Verb& plan_verb() {
  static const Verb verb = {
      "plan",
      "CONFIG [key=value ...] [-n N] [--json]",
      "What a job will need, without running it: parameters, memory by class, time",
      {{"-n,--ranks", "N", "number of ranks; default: what parallel states", kInteger,
        config::between(1, kMostRanks)},
       {"--json", "", "one JSON object on stdout"}},
      {{.name = "", .most_words = 1, .run = run_plan, .takes_overrides = true}}};
  return verb;
}

}  // namespace ty
