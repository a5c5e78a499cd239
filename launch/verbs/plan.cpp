#include "launch/run/plan.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "launch/job/limits.h"
#include "launch/process/output.h"
#include "launch/report/linear_table.h"
#include "launch/report/memory_table.h"
#include "launch/report/pipeline_table.h"
#include "launch/report/text.h"
#include "launch/report/traffic_table.h"
#include "launch/report/update_table.h"
#include "launch/run/job_check.h"
#include "launch/run/machine_ceiling.h"
#include "launch/run/model_setup.h"
#include "launch/verbs/plan_ranks.h"
#include "launch/verbs/plan_schedule.h"
#include "launch/verbs/plan_search.h"
#include "launch/verbs/verbs.h"

namespace ty {

namespace {

config::Loaded<JobConfig> job_of(const Arguments& arguments) {
  std::optional<int> ranks;
  if (arguments.flag("--ranks")) ranks = static_cast<int>(arguments.integer("--ranks", 1));
  const std::string& file = arguments.word(0, "the job file");
  if (!arguments.flag("--search")) return load_checked_job(file, arguments.overrides, ranks);
  return load_job_with_origins(file, arguments.overrides);  // whatever layout it states
}

// Of one rank, if all of them share this machine.
MachineRates rates_here(int ranks) {
  const auto backend = make_backend(DeviceChoice::cpu);
  const MachineCeiling ceiling = measure_ceiling(*backend, 0.3);
  return {.flops_per_second = ceiling.gemm_flops_per_second / ranks,
          .bytes_per_second = ceiling.copy_bytes_per_second / ranks};
}

nlohmann::json to_json(const PipelinePlan& plan, const MachineRates& rates) {
  const Plan& first = plan.stages.front();
  nlohmann::json json = {
      {"parameters", first.parameters},
      {"trained", first.trained},
      {"ranks", first.mesh.size()},
      {"memory", memory_json(first.memory)},
      {"matrix_flops", first.matrix_flops},
      {"sent_bytes", bytes_of(first.traffic)},
      {"traffic", traffic_json(first.traffic)},
      {"tokens", first.tokens},
      {"linear", linear_sites_json(first.linear, first.tokens_per_pass, first.reuses_weights)},
      {"step_seconds", plan.step_seconds(rates)}};
  if (!first.updates.empty()) json["updates"] = updates_json(first.updates);
  if (!first.shares.empty()) json["trained_by_rule"] = shares_json(first.shares);
  if (plan.stages.size() > 1) {
    json["memory"]["peak_bytes"] = plan.peak_bytes();
    json["pipeline"] = pipeline_json(plan, rates);
  }
  return json;
}

ExitCode run_plan(const Arguments& arguments, RankStatus&) {
  const auto job = job_of(arguments);
  if (arguments.flag("--search")) {
    const auto ranks =
        static_cast<int>(arguments.integer("--ranks", stated_mesh(job.value).size()));
    return config::with_places(job.origins, [&] {
      return run_plan_search(arguments, job.value, rates_here(ranks), ranks);
    });
  }
  if (arguments.flag("--linear-ranks")) {
    return config::with_places(job.origins, [&] { return run_plan_ranks(arguments, job.value); });
  }
  PipelinePlan plan = config::with_places(job.origins, [&] {
    return make_pipeline_plan(job.value, planned_model(job.value), stated_mesh(job.value).size());
  });
  if (!job.value.strategy.empty()) {
    remark("this is the model of model.from as it is; the phases of strategy make it smaller");
  }
  if (arguments.flag("--profile")) plan.profile = read_profile(arguments.text("--profile", ""));
  const Plan& first = plan.stages.front();
  const MachineRates rates = rates_here(first.mesh.size());
  if (arguments.flag("--json")) {
    fmt::print("{}\n", to_json(plan, rates).dump());
    return ExitCode::ok;
  }
  const std::string trained =
      first.trained == first.parameters ? "" : fmt::format("  trained {}", first.trained);
  fmt::print("parameters {}{}  ({})\n", first.parameters, trained, describe(first.mesh));
  fmt::print("{}{}", format_shares(first.shares), format_updates(first.updates));
  fmt::print("{}", format_linear_sites(first.linear, first.tokens_per_pass, first.reuses_weights));
  const std::string stages = format_pipeline(plan, rates);
  if (stages.empty()) fmt::print("{}", format_memory(first.memory, nullptr));
  fmt::print("{}{}", stages, format_traffic(first.traffic, nullptr));
  fmt::print(
      "step  {}FLOP per rank, {} sent per rank, about {:.3g} s if all ranks share this machine's "
      "{}FLOP/s\n",
      human_count(first.matrix_flops), human_bytes(static_cast<double>(bytes_of(first.traffic))),
      plan.step_seconds(rates), human_count(rates.flops_per_second * first.mesh.size()));
  return ExitCode::ok;
}

}  // namespace

const Verb& plan_verb() {
  using config::at_least;
  using config::between;
  const std::vector<std::string> schedule = {"schedule"};
  static const Verb verb = {
      "plan",
      "CONFIG [key=value ...] [-n N] [--search] [--linear-ranks LIST] [--json] | schedule --name "
      "NAME [options]",
      "What a job will need, without running it: parameters, memory by class, time; or what a "
      "pipeline's schedule comes to",
      {{"-n,--ranks",
        "N",
        "number of ranks; default: what parallel states",
        kInteger,
        config::between(1, kMostRanks),
        {""}},
       {"--profile", "FILE", "times of bench profile --json, instead of rates", kText, {}, {""}},
       {"--search", "", "rank the layouts that -n ranks could have", kText, {}, {""}},
       {"--memory", "MIB", "with --search: memory of each rank", kNumber, at_least(0), {""}},
       {"--linear-ranks",
        "LIST",
        "parameters for each of these ranks of svd and ttm layers; with --search: ranks to try",
        kIntegers,
        between(1, kMostFeatures),
        {""}},
       {"--name", "NAME", "schedule: gpipe, 1f1b, interleaved or varuna", kText,
        config::one_of({"gpipe", "1f1b", "interleaved", "varuna"}), schedule},
       {"--file",
        "FILE",
        "schedule: a program, one line of actions per stage",
        kText,
        {},
        schedule},
       {"--stages", "P", "schedule: stages; default 4", kInteger, between(1, kMostStages),
        schedule},
       {"--microbatches", "M", "schedule: micro-batches; default 8", kInteger,
        between(1, kMostMicrobatches), schedule},
       {"--chunks", "V", "schedule: chunks per stage; default 1", kInteger, between(1, kMostChunks),
        schedule},
       {"--recompute", "", "schedule: stages keep only what they receive", kText, {}, schedule},
       {"--keep", "", "schedule: varuna keeps everything", kText, {}, schedule},
       {"--forward", "T", "schedule: ticks of a forward; default 1", kNumber, at_least(0),
        schedule},
       {"--recomputation", "T", "schedule: of a recomputation; default 1", kNumber, at_least(0),
        schedule},
       {"--backward", "T", "schedule: of a backward; default 2", kNumber, at_least(0), schedule},
       {"--latency", "T", "schedule: of a message; default 0", kNumber, at_least(0), schedule},
       {"--jitter", "T", "schedule: standard deviation of what a message takes besides", kNumber,
        at_least(0), schedule},
       {"--seed", "N", "schedule: of the jitter; default 1", kInteger, at_least(0), schedule},
       {"--work-conserving",
        "",
        "schedule: stages do not wait where they could run another action",
        kText,
        {},
        schedule},
       {"--svg", "FILE", "schedule: write the chart as a picture", kText, {}, schedule},
       {"--text", "", "schedule: print the program, as --file reads it", kText, {}, schedule},
       {"--json", "", "one JSON object on stdout"}},
      {{.name = "", .most_words = 1, .run = run_plan, .takes_overrides = true},
       {.name = "schedule", .most_words = 0, .run = run_plan_schedule}}};
  return verb;
}

}  // namespace ty
