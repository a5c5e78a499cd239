#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "core/backend/dry/dry_backend.h"
#include "launch/machine_ceiling.h"
#include "launch/plan.h"
#include "launch/text.h"
#include "launch/training_setup.h"
#include "launch/verbs/verbs.h"
#include "launch/world.h"

namespace ty {

namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

struct Spread {
  double median = 0, min = 0, max = 0;
};
Spread spread_of(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return {x[x.size() / 2], x.front(), x.back()};
}
Json to_json(const Spread& s) { return {{"median", s.median}, {"min", s.min}, {"max", s.max}}; }

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

ExitCode bench_step(const Arguments& arguments, RankStatus& status) {
  JobConfig job = load_job(arguments.word(1, "the job file"), arguments.overrides);
  const std::int64_t steps = arguments.integer("--steps", 5);
  const std::int64_t warmup = arguments.integer("--warmup", 2);
  job.run.steps = std::max(job.run.steps, steps + warmup);
  World world(status);
  const auto backend = make_backend(job.run.device);
  const MachineCeiling ceiling = measure_ceiling(*backend, 0.5);
  backend->memory().reset_peak();
  const Gpt2Config config = resolve_model(job, job.model.vocab != 0 ? 0 : job.tokenizer.vocab);
  const Plan plan = make_plan(job, config, world.size());
  TrainingSetup setup(job, config, *backend, world.group());
  set_initial_weights(job, setup.model);
  std::vector<double> seconds;
  for (std::int64_t i = 0; i < warmup + steps; ++i) {
    const HostBatch batch = random_batch(job, config.vocab, world.group(), i);
    world.group().barrier();
    const auto start = Clock::now();
    setup.step.run(batch, i);
    const double own = std::chrono::duration<double>(Clock::now() - start).count();
    const double slowest = world.group().all_reduce(own, ReduceOp::max);
    if (i >= warmup) seconds.push_back(slowest);
  }
  if (!world.is_root()) return ExitCode::ok;
  const Spread spread = spread_of(seconds);
  const MemoryStats measured = backend->memory().stats();
  const double flops = plan.matrix_flops / spread.median;
  if (arguments.flag("--json")) {
    const Json json = {{"step_seconds", to_json(spread)},
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

ExitCode bench_gemm(const Arguments& arguments, RankStatus& status) {
  struct Shape3 {
    std::int64_t m, n, k;
  };
  constexpr Shape3 kShapes[] = {{2048, 2048, 2048}, {256, 2304, 768}, {256, 768, 768},
                                {256, 3072, 768},   {256, 768, 3072}, {256, 50257, 768},
                                {768, 3072, 256},   {64, 64, 64}};
  World world(status);
  const auto backend = make_backend(DeviceChoice::automatic);
  Table table({"gemm m x n x k", "median us", "GFLOP/s"});
  Json rows = Json::array();
  for (const auto& [m, n, k] : kShapes) {
    const Tensor a = Tensor::full(*backend, {m, k}, DType::f32, 0.5);
    const Tensor b = Tensor::full(*backend, {k, n}, DType::f32, 0.5);
    const Tensor c = Tensor::empty(*backend, {m, n}, DType::f32);
    std::vector<double> seconds;
    const auto end = Clock::now() + std::chrono::milliseconds(300);
    for (int i = 0; i < 4 || Clock::now() < end; ++i) {
      const auto start = Clock::now();
      backend->gemm(c.view(), a.view(), b.view(), {});
      backend->synchronize();
      if (i > 0) seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    }
    const Spread spread = spread_of(seconds);
    const double flops = 2.0 * static_cast<double>(m * n * k) / spread.median;
    table.add({fmt::format("{} x {} x {}", m, n, k), fmt::format("{:.1f}", spread.median * 1e6),
               fmt::format("{:.1f}", flops / 1e9)});
    rows.push_back(
        {{"m", m}, {"n", n}, {"k", k}, {"seconds", to_json(spread)}, {"flops_per_second", flops}});
  }
  const MachineCeiling ceiling = measure_ceiling(*backend, 0.5);
  if (arguments.flag("--json")) {
    fmt::print("{}\n", Json{{"threads", world.threads()},
                            {"shapes", rows},
                            {"gemm_ceiling_flops_per_second", ceiling.gemm_flops_per_second},
                            {"copy_bytes_per_second", ceiling.copy_bytes_per_second}}
                           .dump());
  } else {
    fmt::print("{} threads, fp32\n{}copy {}/s\n", world.threads(), table.str(),
               human_bytes(ceiling.copy_bytes_per_second));
  }
  return ExitCode::ok;
}

ExitCode run_bench(const Arguments& arguments, RankStatus& status) {
  const std::string& what = arguments.word(0, "what to measure (step or gemm)");
  if (what == "step") return bench_step(arguments, status);
  if (what == "gemm") return bench_gemm(arguments, status);
  throw UsageError("bench: unknown \"{}\"; one of: step gemm", what);
}

}  // namespace

const Verb& bench_verb() {
  static const Verb verb = {
      "bench",
      "step CONFIG [key=value ...] | gemm",
      "Medians with spread, peak bytes, and the machine's own ceilings beside them",
      {{"--steps", "N", "measured steps; default 5"},
       {"--warmup", "N", "steps before them; default 2"},
       {"--json", "", "one JSON object on stdout"}},
      true,
      run_bench};
  return verb;
}

}  // namespace ty
