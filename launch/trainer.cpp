#include "launch/trainer.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/config/print.h"
#include "launch/evaluation.h"
#include "launch/generation.h"
#include "launch/linear_table.h"
#include "launch/machine_ceiling.h"
#include "launch/text.h"

namespace ty {

namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

constexpr std::int64_t kQuickEvaluationTokens = 16384;
constexpr int kMostFailedSaves = 3;
constexpr std::int64_t kSampleTokens = 80;

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// All ranks must run the same job; the first line in which two of them differ names the key.
void check_same_job(const JobConfig& job, const Group& world) {
  const std::vector<std::string> texts = world.all_gather_text(config::to_yaml(job));
  for (std::size_t r = 1; r < texts.size(); ++r) {
    if (texts[r] == texts[0]) continue;
    std::size_t at = 0;
    while (at < std::min(texts[0].size(), texts[r].size()) && texts[0][at] == texts[r][at]) ++at;
    const auto line = [&](const std::string& text) {
      const std::size_t first = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
      return text.substr(first, text.find('\n', at) - first);
    };
    throw ConfigError("ranks 0 and {} were given different jobs: \"{}\" and \"{}\"", r,
                      line(texts[0]), line(texts[r]));
  }
}

MeshShape mesh_of(const JobConfig& job, int ranks) {
  const auto degree = [](const config::IntOrAuto& value) -> std::optional<int> {
    if (!value.value) return std::nullopt;
    return static_cast<int>(*value.value);
  };
  return resolve({.pipeline = degree(job.parallel.pipeline),
                  .data = degree(job.parallel.data),
                  .tensor = degree(job.parallel.tensor)},
                 ranks);
}

}  // namespace

Trainer::Trainer(JobConfig job, World& world, RankStatus& status,
                 const std::vector<std::string>& argv)
    : job_(std::move(job)),
      world_(world),
      status_(status),
      mesh_((check_same_job(job_, world.group()), world.group()), mesh_of(job_, world.size())),
      backend_(make_backend(job_.run.device)),
      progress_(stderr) {
  const int ranks = mesh_.data().size();
  if (job_.data.batch < ranks) {
    throw ConfigError("data.batch: {} sequences are fewer than the {} data ranks", job_.data.batch,
                      ranks);
  }
  // Everything that can be wrong with the job is found before anything is created.
  check_linear_rules(job_);
  if (world_.is_root()) {
    directory_ = std::make_unique<RunDirectory>(job_, argv,
                                                Json{{"version", TY_VERSION},
                                                     {"ranks", world_.size()},
                                                     {"threads_per_rank", world_.threads()}});
  }
  world_.group().barrier();
  dataset_ = prepare_dataset(job_, world_.group());
  config_ = resolve_model(job_, dataset_.vocab());
  plan_ = make_plan(job_, config_, ranks);
  sampler_ = std::make_unique<Sampler>(dataset_.train->size(), job_.data.sequence,
                                       static_cast<std::uint64_t>(job_.run.seed));
  const MachineCeiling ceiling = measure_ceiling(*backend_, 0.15);
  ceiling_ = world_.group().all_reduce(ceiling.gemm_flops_per_second, ReduceOp::sum);
  backend_->memory().reset_peak();
  if (world_.is_root()) print_start(plan_);
  setup_ = std::make_unique<TrainingSetup>(job_, config_, *backend_, mesh_.data());
  checkpoints_ = {.directory = job_.run.dir / "checkpoints",
                  .run_id = directory_ ? directory_->run_id() : "",
                  .world = world_.group(),
                  .tokenizer_directory = dataset_.tokenizer_directory,
                  .tokenizer_fingerprint = dataset_.fingerprint(),
                  .sharded = job_.parallel.zero == 1,
                  .keep = job_.checkpoint.keep};
  resume();
}

void Trainer::print_start(const Plan& plan) {
  progress_.note(fmt::format("trainyard {}  {} rank{} x {} thread{}  run {}", TY_VERSION,
                             world_.size(), world_.size() == 1 ? "" : "s", world_.threads(),
                             world_.threads() == 1 ? "" : "s", job_.run.dir.string()));
  if (world_.threads() * world_.size() < world_.cores() || world_.cores() == 1) {
    progress_.note(
        fmt::format("  note: {} of this machine's usable cores are in use; see trainyard doctor",
                    world_.threads() * world_.size()));
  }
  progress_.note(fmt::format("  data   {} tokens, vocabulary {}, {} windows of {} per epoch",
                             human_count(static_cast<double>(dataset_.train->size())),
                             config_.vocab, human_count(static_cast<double>(sampler_->windows())),
                             job_.data.sequence));
  progress_.note(fmt::format("  model  gpt2 {} layers x {}  heads {}  context {}  parameters {}",
                             config_.layers, config_.width, config_.heads, config_.context,
                             human_count(static_cast<double>(plan.parameters))));
  if (!exact_rules(plan.linear).empty()) {
    std::string table = format_linear_sites(plan.linear, plan.tokens_per_pass, plan.shares_maps);
    table.pop_back();  // note() ends the line
    progress_.note(table);
  }
  progress_.note(fmt::format("  step   {} tokens, {}FLOP per rank  predicted peak {} per rank",
                             human_count(plan.tokens), human_count(plan.matrix_flops),
                             human_bytes(static_cast<double>(plan.memory.total_peak))));
}

void Trainer::resume() {
  const std::optional<Resumed> resumed = restore_checkpoint(checkpoints_, *setup_);
  if (!resumed) {
    set_initial_weights(job_, setup_->model);
    if (directory_) directory_->rewind_metrics(-1);
    return;
  }
  first_step_ = saved_step_ = resumed->step;
  if (!world_.is_root()) return;
  directory_->rewind_metrics(resumed->step);
  if (!resumed->warning.empty()) progress_.note("warning: " + resumed->warning);
  progress_.note(fmt::format("  resumed after step {} of {}", resumed->step, job_.run.steps));
}

HostBatch Trainer::batch_of(std::int64_t step) const {
  const Range share = share_of_batch(job_.data.batch, mesh_.data());
  const std::int64_t first = step * job_.data.batch + share.first;
  TokenBatch tokens =
      training_batch(*dataset_.train, *sampler_, job_.data.sequence, first, share.count);
  return {.first_sample = first,
          .sequences = share.count,
          .length = job_.data.sequence,
          .inputs = std::move(tokens.inputs),
          .targets = std::move(tokens.targets)};
}

ExitCode Trainer::run() {
  const auto due = [](std::int64_t step, std::int64_t every) {
    return every > 0 && step % every == 0;
  };
  for (std::int64_t step = first_step_; step < job_.run.steps; ++step) {
    status_.step = step;
    const auto start = Clock::now();
    const StepReport report = setup_->step.run(batch_of(step), step);
    seconds_ += since(start);
    tokens_ += report.tokens;
    ++steps_;
    const std::int64_t done = step + 1;
    const bool last = done == job_.run.steps;
    if (due(done, job_.log.every) || last || done == first_step_ + 1) log_step(done, report);
    if (due(done, job_.run.sample_every) && !last) sample_now(done);
    if (due(done, job_.run.eval_every) && !last) evaluate_now(done, false);
    if (due(done, job_.checkpoint.every) && !last) save_now(done);
    if (const int signal = agreed_stop(); signal != 0 && !last) {
      if (saved_step_ != done) save_now(done);
      progress_.finish();
      if (saved_step_ != done)
        throw IoError("stopped on request, but step {} could not be saved", done);
      if (world_.is_root())
        progress_.note(
            fmt::format("stopped on request after step {}; run the same command to go on", done));
      return exit_code_of(signal);
    }
  }
  if (saved_step_ != job_.run.steps) save_now(job_.run.steps);
  evaluate_now(job_.run.steps, true);
  sample_now(job_.run.steps);
  if (saved_step_ != job_.run.steps) {
    throw IoError("{}: the final checkpoint could not be saved; run the same command again",
                  checkpoints_.directory.string());
  }
  if (world_.is_root()) {
    progress_.finish();
    if (first_step_ < job_.run.steps) {
      const MemoryStats measured = backend_->memory().stats();
      progress_.note(format_memory(plan_.memory, &measured));
    }
    progress_.note(fmt::format(
        "saved {}", (checkpoints_.directory / fmt::format("step-{}", job_.run.steps)).string()));
  }
  return ExitCode::ok;
}

void Trainer::log_step(std::int64_t step, const StepReport& report) {
  const double slowest = world_.group().all_reduce(seconds_, ReduceOp::max);
  const auto peak = static_cast<double>(backend_->memory().stats().total_peak);
  const double largest = world_.group().all_reduce(peak, ReduceOp::max);
  if (world_.is_root()) {
    const double rate = tokens_ / slowest;
    const double step_seconds = slowest / static_cast<double>(steps_);
    const double flops = plan_.matrix_flops * world_.size() / step_seconds;
    // The first step warms caches and pages up; later ones tell what is left.
    mean_step_seconds_ = mean_step_seconds_ == 0 || step - first_step_ <= job_.log.every
                             ? step_seconds
                             : 0.7 * mean_step_seconds_ + 0.3 * step_seconds;
    progress_.update(
        {.step = step,
         .steps = job_.run.steps,
         .loss = report.loss,
         .learning_rate = report.learning_rate,
         .gradient_norm = report.gradient_norm,
         .tokens_per_second = rate,
         .flops_per_second = flops,
         .ceiling = ceiling_,
         .peak_bytes = largest,
         .seconds_left = mean_step_seconds_ * static_cast<double>(job_.run.steps - step)});
    directory_->log(
        {{"step", step},
         {"loss", report.loss},
         {"learning_rate", report.learning_rate},
         {"gradient_norm", report.gradient_norm},
         {"tokens", static_cast<std::int64_t>(step) * job_.data.batch * job_.data.sequence},
         {"tokens_per_second", rate},
         {"step_seconds", step_seconds},
         {"matrix_flops_per_second", flops},
         {"peak_bytes", static_cast<std::int64_t>(largest)}});
  }
  seconds_ = tokens_ = 0;
  steps_ = 0;
}

void Trainer::evaluate_now(std::int64_t step, bool last) {
  if (!dataset_.valid) return;
  const Evaluation result =
      evaluate(*setup_->model.model, *backend_, *dataset_.valid,
               {.sequence = job_.data.sequence,
                .batch = std::max<std::int64_t>(1, job_.data.batch / mesh_.data().size()),
                .most_tokens = last ? 0 : kQuickEvaluationTokens},
               mesh_.data());
  if (!world_.is_root()) return;
  progress_.note(
      fmt::format("  valid  step {}  loss {:.4f}  perplexity {:.2f}  bits per byte {:.3f}{}", step,
                  result.loss, result.perplexity(), result.bits_per_byte,
                  last ? "" : fmt::format("  (on {} tokens)", human_count(result.tokens))));
  directory_->log({{"step", step},
                   {"valid_loss", result.loss},
                   {"bits_per_byte", result.bits_per_byte},
                   {"valid_tokens", static_cast<std::int64_t>(result.tokens)}});
}

std::string Trainer::sample_text(std::int64_t step) {
  // The first tokens of the held-out text (or of the training text) as a prompt.
  const TokenFile& source = dataset_.valid ? *dataset_.valid : *dataset_.train;
  std::vector<std::int32_t> prompt(
      static_cast<std::size_t>(std::min<std::int64_t>(4, source.size())));
  source.copy(0, prompt);
  std::vector<std::int32_t> ids = prompt;
  const std::vector<std::int32_t> next =
      generate(*setup_->model.model, *backend_, config_.context, prompt,
               {.max_tokens = kSampleTokens,
                .temperature = 0.8,
                .top_k = 50,
                .seed = static_cast<std::uint64_t>(job_.run.seed + step)},
               dataset_.tokenizer->end_of_text());
  ids.insert(ids.end(), next.begin(), next.end());
  return dataset_.tokenizer->decode(ids);
}

void Trainer::sample_now(std::int64_t step) {
  if (job_.run.sample_every == 0 || !world_.is_root() || dataset_.tokenizer == nullptr) return;
  const std::string text = sample_text(step);
  std::string line = text;
  std::replace(line.begin(), line.end(), '\n', ' ');
  progress_.note(fmt::format("  sample step {}  {}", step, line));
  directory_->add_sample(step, text);
}

void Trainer::save_now(std::int64_t step) {
  const std::string error = save_checkpoint(checkpoints_, *setup_, step);
  if (error.empty()) {
    failed_saves_ = 0;
    saved_step_ = step;
    return;
  }
  if (world_.is_root())
    progress_.note(fmt::format("error: step {} was not saved: {}", step, error));
  if (++failed_saves_ >= kMostFailedSaves) {
    throw IoError("{} checkpoints in a row could not be saved: {}", failed_saves_, error);
  }
}

int Trainer::agreed_stop() {
  return static_cast<int>(world_.group().all_reduce(stop_.signal(), ReduceOp::max));
}

}  // namespace ty
