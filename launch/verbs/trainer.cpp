#include "launch/verbs/trainer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/stopwatch.h"
#include "core/config/print.h"
#include "launch/report/linear_table.h"
#include "launch/report/memory_table.h"
#include "launch/report/text.h"
#include "launch/run/evaluation.h"
#include "launch/run/job_check.h"
#include "launch/run/machine_ceiling.h"
#include "models/generation/generation.h"
#include "models/huggingface/model_config.h"

namespace ty {

namespace {

using Json = nlohmann::json;

constexpr std::int64_t kQuickEvaluationTokens = 16384;
constexpr int kMostFailedSaves = 3;
constexpr std::int64_t kSampleTokens = 80;

bool is_due(std::int64_t step, std::int64_t every) { return every > 0 && step % every == 0; }

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

}  // namespace

Trainer::Trainer(JobConfig job, World& world, RankStatus& status,
                 const std::vector<std::string>& argv)
    : job_(std::move(job)),
      world_(world),
      status_(status),
      mesh_((check_same_job(job_, world.group()), world.group()), mesh_shape(job_, world.size())),
      backend_(make_backend(job_.run.device, job_.parallel.reduction)) {
  adopt_model_tokenizer(job_);
  check_job(job_, mesh_.data().size());
  RunStart start = start_run(job_, world_.group(),
                             {{"version", TY_VERSION},
                              {"argv", argv},
                              {"ranks", world_.size()},
                              {"threads_per_rank", world_.threads()}});
  is_finished_ = start.is_finished;
  if (is_finished_) {
    if (!world_.is_root()) return;
    for (const std::string& note : start.notes) progress_.note(note);
    progress_.note(fmt::format("{}: all {} steps are done; raise run.steps to go on",
                               job_.run.dir.string(), job_.run.steps));
  } else {
    build(std::move(start));
  }
}

void Trainer::build(RunStart start) {
  directory_ = std::move(start.directory);
  dataset_ = std::move(start.dataset);
  config_ = std::move(start.config);
  set_run_keys(config_, dataset_.tokenizer ? dataset_.tokenizer->end_of_text() : std::nullopt,
               job_.precision.weights);
  plan_ = make_plan(job_, config_, mesh_.data().size());
  windows_ = training_windows(*dataset_.train, job_.data.sequence,
                              static_cast<std::uint64_t>(job_.run.seed));
  const MachineCeiling ceiling = measure_ceiling(*backend_, 0.15);
  ceiling_ = world_.group().all_reduce(ceiling.gemm_flops_per_second, ReduceOp::sum);
  backend_->memory().reset_peak();
  if (world_.is_root()) print_start();
  setup_ = std::make_unique<TrainingSetup>(job_, config_, *backend_, mesh_.data());
  checkpoints_ = {.directory = job_.run.dir / "checkpoints",
                  .run_id = directory_ ? directory_->run_id() : "",
                  .world = world_.group(),
                  .tokenizer_directory = dataset_.tokenizer_directory,
                  .tokenizer_fingerprint = dataset_.fingerprint(),
                  .sharded = job_.parallel.zero == 1,
                  .keep = job_.checkpoint.keep,
                  .allow_changes = job_.run.allow_changes};
  resume(start.checkpoint, start.notes);
}

void Trainer::print_start() {
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
                             config_.vocab, human_count(static_cast<double>(windows_->examples())),
                             job_.data.sequence));
  progress_.note(fmt::format("  model  {} {} layers x {}  heads {}  context {}  parameters {}",
                             config_.family, config_.layers, config_.width, config_.heads,
                             config_.context, human_count(static_cast<double>(plan_.parameters))));
  if (!exact_rules(plan_.linear).empty()) {
    std::string table = format_linear_sites(plan_.linear, plan_.tokens_per_pass, plan_.shares_maps);
    table.pop_back();  // note() ends the line
    progress_.note(table);
  }
  progress_.note(fmt::format("  step   {} tokens, {}FLOP per rank  predicted peak {} per rank",
                             human_count(plan_.tokens), human_count(plan_.matrix_flops),
                             human_bytes(static_cast<double>(plan_.memory.total_peak))));
}

void Trainer::resume(const std::optional<Checkpoint>& checkpoint,
                     const std::vector<std::string>& notes) {
  if (checkpoint) {
    start_ = restore_checkpoint(checkpoints_, *checkpoint, *setup_);
    if (start_.samples < 0) {  // written before samples were counted
      start_.samples = start_.step * job_.data.batch;
      start_.tokens = start_.samples * job_.data.sequence;
    }
    saved_step_ = start_.step;
  } else {
    at_model(job_, [&] { set_initial_weights(job_, setup_->model); });
  }
  if (!world_.is_root()) return;
  for (const std::string& note : notes) progress_.note(note);
  if (checkpoint) {
    progress_.note(fmt::format("  resumed after step {} of {}", start_.step, job_.run.steps));
  }
}

Position Trainer::position_at(std::int64_t step) const {
  const std::int64_t samples = (step - start_.step) * job_.data.batch;
  return {step, start_.samples + samples, start_.tokens + samples * job_.data.sequence};
}

HostBatch Trainer::batch_of(std::int64_t step) const {
  const Range share = share_of_batch(job_.data.batch, mesh_.data());
  return windows_->batch(position_at(step).samples + share.first, share.count);
}

ExitCode Trainer::run() {
  if (is_finished_) return ExitCode::ok;
  for (std::int64_t step = start_.step; step < job_.run.steps; ++step) {
    take_step(step);
    const std::int64_t done = step + 1;
    if (done == job_.run.steps) break;
    do_what_is_due(done);
    if (const int signal = agreed_stop(); signal != 0) return stop(signal, done);
  }
  world_.group().set_patience(kDefaultPatience);
  if (saved_step_ != job_.run.steps) save_now(job_.run.steps);
  evaluate_now(job_.run.steps, true);
  sample_now(job_.run.steps);
  finish();
  return ExitCode::ok;
}

void Trainer::take_step(std::int64_t step) {
  const std::int64_t done = step + 1;
  status_.step = done;
  const Stopwatch watch;
  const StepReport report = setup_->step.run(batch_of(step), step);
  const double seconds = watch.seconds();
  patience_.add(seconds);
  world_.group().set_patience(patience_.seconds());
  seconds_ += seconds;
  tokens_ += report.tokens;
  ++steps_;
  const bool first = step == start_.step, last = done == job_.run.steps;
  if (is_due(done, job_.log.every) || first || last) log_step(done, report);
}

void Trainer::do_what_is_due(std::int64_t step) {
  const bool sample = is_due(step, job_.run.sample_every);
  const bool evaluate = is_due(step, job_.run.eval_every);
  const bool save = is_due(step, job_.checkpoint.every);
  if (!sample && !evaluate && !save) return;
  between_steps([&] {
    if (sample) sample_now(step);
    if (evaluate) evaluate_now(step, false);
    if (save) save_now(step);
  });
}

void Trainer::between_steps(const std::function<void()>& work) {
  world_.group().set_patience(kDefaultPatience);
  work();
  world_.group().barrier();
  world_.group().set_patience(patience_.seconds());
}

ExitCode Trainer::stop(int signal, std::int64_t step) {
  if (saved_step_ != step) between_steps([&] { save_now(step); });
  progress_.finish();
  if (saved_step_ != step) {
    throw IoError("stopped on request, but step {} could not be saved", step);
  }
  if (world_.is_root()) {
    progress_.note(
        fmt::format("stopped on request after step {}; run the same command to go on", step));
  }
  return exit_code_of(signal);
}

void Trainer::finish() {
  if (saved_step_ != job_.run.steps) {
    throw IoError("{}: the final checkpoint could not be saved; run the same command again",
                  checkpoints_.directory.string());
  }
  if (!world_.is_root()) return;
  progress_.finish();
  if (start_.step < job_.run.steps) {
    const MemoryStats measured = backend_->memory().stats();
    progress_.note(format_memory(plan_.memory, &measured));
  }
  progress_.note(fmt::format(
      "saved {}", (checkpoints_.directory / fmt::format("step-{}", job_.run.steps)).string()));
  if (!directory_->log_error().empty()) {
    throw IoError("all steps are done and saved, but lines of the logs are missing: {}",
                  directory_->log_error());
  }
}

void Trainer::note_lost(const std::string& error) {
  if (error.empty() || lost_said_) return;
  lost_said_ = true;
  progress_.note(fmt::format("warning: a line of the logs is lost: {}", error));
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
    mean_step_seconds_ = mean_step_seconds_ == 0 || step - start_.step <= job_.log.every
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
    note_lost(directory_->log({{"step", step},
                               {"loss", report.loss},
                               {"learning_rate", report.learning_rate},
                               {"gradient_norm", report.gradient_norm},
                               {"tokens", position_at(step).tokens},
                               {"tokens_per_second", rate},
                               {"step_seconds", step_seconds},
                               {"matrix_flops_per_second", flops},
                               {"peak_bytes", static_cast<std::int64_t>(largest)}}));
  }
  seconds_ = tokens_ = 0;
  steps_ = 0;
}

void Trainer::evaluate_now(std::int64_t step, bool last) {
  if (!dataset_.valid) return;
  const Evaluation result =
      evaluate(*setup_->model.model, *setup_->objective, *backend_, *dataset_.valid,
               {.sequence = job_.data.sequence,
                .batch = std::max<std::int64_t>(1, job_.data.batch / mesh_.data().size()),
                .most_tokens = last ? 0 : kQuickEvaluationTokens},
               mesh_.data());
  if (!world_.is_root()) return;
  progress_.note(
      fmt::format("  valid  step {}  loss {:.4f}  perplexity {:.2f}  bits per byte {:.3f}{}", step,
                  result.loss, result.perplexity(), result.bits_per_byte,
                  last ? "" : fmt::format("  (on {} tokens)", human_count(result.tokens))));
  note_lost(directory_->log({{"step", step},
                             {"valid_loss", result.loss},
                             {"bits_per_byte", result.bits_per_byte},
                             {"valid_tokens", static_cast<std::int64_t>(result.tokens)}}));
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
               *dataset_.tokenizer);
  ids.insert(ids.end(), next.begin(), next.end());
  return dataset_.tokenizer->decode(ids);
}

void Trainer::sample_now(std::int64_t step) {
  if (job_.run.sample_every == 0 || !world_.is_root() || dataset_.tokenizer == nullptr) return;
  const std::string text = sample_text(step);
  std::string line = text;
  std::replace(line.begin(), line.end(), '\n', ' ');
  progress_.note(fmt::format("  sample step {}  {}", step, line));
  note_lost(directory_->add_sample(step, text));
}

void Trainer::save_now(std::int64_t step) {
  const auto [error, warning] = save_checkpoint(checkpoints_, *setup_, position_at(step));
  if (!warning.empty()) {
    progress_.note(fmt::format("warning: step {} is saved, but {}", step, warning));
  }
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
