// Whole training steps on random tokens.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "launch/bench/bench.h"
#include "launch/machine_ceiling.h"
#include "launch/plan.h"
#include "launch/text.h"
#include "launch/training_setup.h"
#include "launch/world.h"

namespace ty::bench {

namespace {

HostBatch random_batch(const JobConfig& job, std::int64_t vocab, const Group& data,
                       std::int64_t step) {
  const Range share = share_of_batch(job.data.batch, data);
  HostBatch batch{.first_sample = step * job.data.batch + share.first,
                  .sequences = share.count,
                  .length = job.data.sequence,
                  .inputs = {},
                  .targets = {}};
  const RandomStream stream(static_cast<std::uint64_t>(job.run.seed), site_id("bench"),
                            static_cast<std::uint64_t>(step));
  const auto draw = [&](std::uint64_t i) {
    return static_cast<std::int32_t>(stream.word(static_cast<std::uint64_t>(share.first), i) %
                                     static_cast<std::uint64_t>(vocab));
  };
  const auto count = static_cast<std::uint64_t>(share.count * job.data.sequence);
  for (std::uint64_t i = 0; i < count; ++i) {
    batch.inputs.push_back(draw(i));
    batch.targets.push_back(draw(i + count));
  }
  return batch;
}

}  // namespace

ExitCode step(const Arguments& arguments, RankStatus& status) {
  JobConfig job = load_job(arguments.word(1, "the job file"), arguments.overrides);
  const std::int64_t steps = count_of(arguments, "--steps", 5);
  const std::int64_t warmup = arguments.integer("--warmup", 2);
  job.run.steps = std::max(job.run.steps, steps + warmup);
  World world(status);
  const auto backend = make_backend(job.run.device);
  const MachineCeiling ceiling = measure_ceiling(*backend, 0.5);
  backend->memory().reset_peak();
  const Gpt2Config config = planned_model(job);
  const Plan plan = make_plan(job, config, world.size());
  TrainingSetup setup(job, config, *backend, world.group());
  set_initial_weights(job, setup.model);
  std::vector<double> seconds;
  for (std::int64_t i = 0; i < warmup + steps; ++i) {
    const HostBatch batch = random_batch(job, config.vocab, world.group(), i);
    world.group().barrier();
    const double own = seconds_of([&] { setup.step.run(batch, i); });
    const double slowest = world.group().all_reduce(own, ReduceOp::max);
    if (i >= warmup) seconds.push_back(slowest);
  }
  if (!world.is_root()) return ExitCode::ok;
  const Spread spread = spread_of(seconds);
  const MemoryStats measured = backend->memory().stats();
  const double flops = plan.matrix_flops / spread.median;
  if (arguments.flag("--json")) {
    const nlohmann::json json = {{"step_seconds", to_json(spread)},
                                 {"tokens_per_second", plan.tokens / spread.median},
                                 {"peak_bytes", measured.total_peak},
                                 {"predicted_peak_bytes", plan.memory.total_peak},
                                 {"matrix_flops", plan.matrix_flops},
                                 {"matrix_flops_per_second", flops},
                                 {"gemm_ceiling_flops_per_second", ceiling.gemm_flops_per_second},
                                 {"ranks", world.size()},
                                 {"threads", world.threads()}};
    fmt::print("{}\n", json.dump());
    return ExitCode::ok;
  }
  fmt::print("step  median {:.4f} s  min {:.4f}  max {:.4f}  ({} steps, {} rank{} x {} threads)\n",
             spread.median, spread.min, spread.max, steps, world.size(),
             world.size() == 1 ? "" : "s", world.threads());
  fmt::print("      {} tok/s  {}FLOP/s  {:.0f} % of the GEMM ceiling {}FLOP/s\n",
             human_count(plan.tokens / spread.median), human_count(flops),
             100 * flops / ceiling.gemm_flops_per_second,
             human_count(ceiling.gemm_flops_per_second));
  fmt::print("{}", format_memory(plan.memory, &measured));
  return ExitCode::ok;
}

}  // namespace ty::bench
