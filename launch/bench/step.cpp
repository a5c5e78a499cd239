// Whole training steps on random tokens.
#include <fmt/format.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/base/stopwatch.h"
#include "launch/bench/bench.h"
#include "launch/bench/random_batch.h"
#include "launch/process/world.h"
#include "launch/report/memory_table.h"
#include "launch/report/text.h"
#include "launch/run/job_check.h"
#include "launch/run/machine_ceiling.h"
#include "launch/run/plan.h"
#include "launch/run/training_setup.h"

namespace ty::bench {

namespace {

// A job whose steps are measured, with a backend of its own, so that its bytes are its own.
class Contestant {
 public:
  Contestant(const JobConfig& given, std::int64_t steps, World& world)
      : job_(with_steps(given, steps)),
        backend_(make_backend(job_, world.place())),
        layout_(make_layout(job_, world.group(), *backend_)),
        config_(planned_model(job_)),
        world_(world),
        plan_(make_plan(job_, config_, world.size())),
        setup_(job_, config_, *backend_, layout_) {
    set_initial_weights(job_, setup_.model);
  }

  void run(std::int64_t step, bool measured) {
    const HostBatch batch = random_batch(job_, config_, layout_.mesh.data(), step);
    world_.group().barrier();
    const Stopwatch watch;
    setup_.step.run(batch, step);
    const double own = watch.seconds();
    const double slowest = world_.group().all_reduce(own, ReduceOp::max);
    if (!measured) return;
    seconds.push_back(slowest);
    spans.push_back({watch.started_at(), watch.started_at() + own});
  }
  Backend& backend() { return *backend_; }
  const Plan& plan() const { return plan_; }

  // Of measured steps: what the slowest rank took, and when they began and ended on this one, in
  // seconds of the system's monotonic clock.
  std::vector<double> seconds;
  std::vector<std::array<double, 2>> spans;

 private:
  static JobConfig with_steps(JobConfig job, std::int64_t steps) {
    job.run.steps = std::max(job.run.steps, steps);
    return job;
  }

  JobConfig job_;
  std::unique_ptr<Backend> backend_;
  Layout layout_;
  ModelSpec config_;
  World& world_;
  Plan plan_;
  TrainingSetup setup_;
};

}  // namespace

ExitCode step(const Arguments& arguments, RankStatus& status) {
  const std::string path = arguments.word(0, "the job file");
  const Rounds rounds = rounds_of(arguments, 2);
  World world(status);
  const auto load = [&](const config::Overrides& overrides) {
    return load_checked_job(path, overrides, world.size()).value;
  };
  std::vector<JobConfig> jobs = {load(arguments.overrides)};
  if (arguments.flag("--against")) {
    std::vector<std::string> overrides = arguments.overrides;
    overrides.push_back(arguments.text("--against", ""));
    jobs.push_back(load(overrides));
  }
  const MachineCeiling ceiling = measure_ceiling(*make_backend(jobs[0], world.place()), 0.5);
  std::vector<std::unique_ptr<Contestant>> contestants;
  for (const JobConfig& job : jobs) {
    contestants.push_back(
        std::make_unique<Contestant>(job, rounds.warmup + rounds.measured, world));
  }
  take_turns(rounds, contestants.size(), world.is_root(),
             [&](std::size_t i, std::int64_t step, bool measured) {
               contestants[i]->run(step, measured);
             });
  if (!world.is_root()) return ExitCode::ok;
  Contestant& subject = *contestants[0];
  const Plan& plan = subject.plan();
  const Spread spread = spread_of(subject.seconds);
  const MemoryStats measured = subject.backend().memory().stats();
  const double flops = plan.matrix_flops / spread.median;
  if (arguments.flag("--json")) {
    nlohmann::json json = {{"step_seconds", to_json(spread)},
                           {"step_spans", subject.spans},
                           {"tokens_per_second", plan.tokens / spread.median},
                           {"peak_bytes", measured.total_peak},
                           {"predicted_peak_bytes", plan.memory.total_peak},
                           {"matrix_flops", plan.matrix_flops},
                           {"matrix_flops_per_second", flops},
                           {"gemm_ceiling_flops_per_second", ceiling.gemm_flops_per_second},
                           {"ranks", world.size()},
                           {"threads", world.threads()}};
    if (contestants.size() > 1) {
      json["against_step_seconds"] = to_json(spread_of(contestants[1]->seconds));
      json["ratio"] = to_json(ratios_of(subject.seconds, contestants[1]->seconds));
    }
    fmt::print("{}\n", json.dump());
    return ExitCode::ok;
  }
  fmt::print("step  median {:.4f} s  min {:.4f}  max {:.4f}  ({} steps, {} rank{} x {} threads)\n",
             spread.median, spread.min, spread.max, rounds.measured, world.size(),
             world.size() == 1 ? "" : "s", world.threads());
  if (contestants.size() > 1) {
    const Spread other = spread_of(contestants[1]->seconds);
    const Spread times = ratios_of(subject.seconds, contestants[1]->seconds);
    fmt::print("      {} of {:.4f} s  min {:.4f}  max {:.4f}  with {}\n", format_ratio(times),
               other.median, other.min, other.max, arguments.text("--against", ""));
  }
  fmt::print("      {} tok/s  {}FLOP/s  {:.0f} % of the GEMM ceiling {}FLOP/s\n",
             human_count(plan.tokens / spread.median), human_count(flops),
             100 * flops / ceiling.gemm_flops_per_second,
             human_count(ceiling.gemm_flops_per_second));
  fmt::print("{}", format_memory(plan.memory, &measured));
  return ExitCode::ok;
}

}  // namespace ty::bench
