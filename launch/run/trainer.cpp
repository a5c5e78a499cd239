#include "launch/run/trainer.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/stopwatch.h"
#include "launch/run/device.h"
#include "launch/run/job_check.h"
#include "launch/run/machine_ceiling.h"
#include "launch/run/sample.h"
#include "launch/run/stages.h"
#include "launch/run/task_data.h"
#include "models/huggingface/model_config.h"
#include "models/linear/guides.h"
#include "parallel/data/replica_check.h"

namespace ty {

namespace {

constexpr std::int64_t kQuickEvaluationTokens = 16384;
constexpr int kMostFailedSaves = 3;

bool is_due(std::int64_t step, std::int64_t every) { return every > 0 && step % every == 0; }

}  // namespace

Trainer::Trainer(JobConfig job, World& world, RankStatus& status, const nlohmann::json& facts,
                 Observers observers)
    : job_(std::move(job)),
      world_(world),
      status_(status),
      observers_(std::move(observers)),
      backend_((check_same_job(job_, world.group()), make_backend(job_, world_.place()))),
      layout_(make_layout(job_, world.group(), *backend_)),
      times_(job_.log.every) {
  resolve_model_path(job_);
  adopt_model_tokenizer(job_);
  if (job_.model.head == HeadChoice::none) {
    throw ConfigError(Key{"model.head"}, "none leaves nothing to train for; it is for plan");
  }
  check_job(job_, layout_.mesh.shape());
  RunStart start = start_run(job_, world_.group(), layout_.mesh.shape(), facts);
  is_finished_ = start.is_finished;
  if (!is_finished_) {
    build(std::move(start));
    return;
  }
  observers_.tell([&](RunObserver& o) {
    for (const std::string& note : start.notes) o.noted(note);
    o.found_complete(job_, start.why_finished);
  });
}

void Trainer::build(RunStart start) {
  directory_ = std::move(start.directory);
  dataset_ = std::move(start.dataset);
  model_ = std::move(start.config);
  if (model_.head.kind == HeadSpec::Kind::labels) set_label_names(model_, dataset_.labels);
  set_run_keys(model_, dataset_.tokenizer ? dataset_.tokenizer->end_of_text() : std::nullopt,
               job_.precision.weights);
  if (start.checkpoint) model_.linear = without_guides(model_.linear, start.checkpoint->step);
  tell_start(start.checkpoint ? start.checkpoint->step : -1);
  trace_ = std::make_unique<Trace>(layout_.mesh, job_.log.trace);
  set_up();
  checkpoints_ = {.directory = job_.run.dir / "checkpoints",
                  .run_id = directory_ ? directory_->run_id() : "",
                  .mesh = layout_.mesh,
                  .tokenizer_directory = dataset_.tokenizer_directory,
                  .tokenizer_fingerprint = dataset_.fingerprint(),
                  .sharded = job_.parallel.zero == 1,
                  .keep = job_.checkpoint.keep,
                  .keep_best = job_.checkpoint.best,
                  .frozen = setup_->model.frozen,
                  .allow_changes = job_.run.allow_changes};
  resume(start.checkpoint, start.notes);
}

void Trainer::set_up() {
  setup_ = std::make_unique<TrainingSetup>(job_, model_, *backend_, layout_);
  setup_->step.observe([this](const Span& span) {
    stage_times_.add(span);
    trace_->add(span, setup_->step.program().shape);
  });
}

void Trainer::tell_start(std::int64_t steps_done) {
  const int stage = layout_.mesh.at().pipeline;
  const Plan plan = make_plan(job_, model_, world_.size(), stage);
  predicted_peak_ = plan.memory.total_peak;
  step_flops_ = world_.group().all_reduce(plan.matrix_flops, ReduceOp::sum);
  const double ceiling = world_.group().all_reduce(
      measure_ceiling(*backend_, 0.15).gemm_flops_per_second, ReduceOp::sum);
  backend_->memory().reset_peak();
  observers_.tell([&](RunObserver& o) {
    o.started({.directory = *directory_,
               .job = job_,
               .model = model_,
               .plan = plan,
               .steps_done = steps_done,
               .ranks = world_.size(),
               .threads = world_.threads(),
               .cores = world_.cores(),
               .data_tokens = dataset_.train_tokens ? dataset_.train_tokens->size() : 0,
               .examples = dataset_.train->examples(),
               .gemm_flops_ceiling = ceiling,
               .why_cpu = device_note(job_.run.device),
               .shared_cards = sharing_note(*backend_, world_.place())});
  });
}

void Trainer::resume(const std::optional<Checkpoint>& checkpoint,
                     const std::vector<std::string>& notes) {
  std::vector<std::string> more = notes;
  if (checkpoint) {
    start_ = restore_checkpoint(checkpoints_, *checkpoint, *setup_);
    if (start_.samples < 0) {  // written before samples were counted
      start_.samples = start_.step * job_.data.batch;
      start_.tokens = start_.samples * job_.data.sequence;
    }
    saved_step_ = start_.step;
    checkpoints_.before = checkpoint;
    best_ = start_.best;
  } else {
    const std::vector<std::string> drawn =
        at_model(job_, [&] { return set_initial_weights(job_, setup_->model, world_.group()); });
    if (!drawn.empty()) {
      more.push_back(fmt::format("  freshly drawn, as model.from has none for this task: {}",
                                 fmt::join(drawn, ", ")));
    }
  }
  // A run that was killed may have saved its best step without saying where it is.
  const bool marks_best = directory_ && job_.checkpoint.best && best_.step >= 0;
  const std::string warning = marks_best ? point_best_to(checkpoints_.directory, best_.step) : "";
  observers_.tell([&](RunObserver& o) {
    for (const std::string& note : more) o.noted(note);
    if (!warning.empty()) o.noted("warning: " + warning);
    if (checkpoint) o.resumed(start_.step);
  });
}

Position Trainer::position_at(std::int64_t step) const {
  const std::int64_t samples = (step - start_.step) * job_.data.batch;
  return {step, start_.samples + samples, start_.tokens + samples * job_.data.sequence, best_};
}

ExitCode Trainer::run() {
  if (is_finished_) return ExitCode::ok;
  std::int64_t done = start_.step;
  while (done < job_.run.steps) {
    take_step(done++);
    if (done == job_.run.steps) break;
    do_what_is_due(done);
    if (stops_early(job_, best_)) break;
    if (const int signal = agreed_stop(); signal != 0) return stop(signal, done);
    drop_guides(done);
  }
  settle();
  world_.group().set_patience(kDefaultPatience);
  if (done == job_.run.steps) complete(done);
  sample_now(done);
  finish(done);
  return ExitCode::ok;
}

// Saved first, so that nothing can be lost; but what an evaluation decides must be in the
// checkpoint.
void Trainer::complete(std::int64_t step) {
  if (compares_steps(job_) && saved_step_ != step) {
    evaluate_now(step, true);
    save_now(step);
    return;
  }
  if (saved_step_ != step) save_now(step);
  evaluate_now(step, true);
}

void Trainer::take_step(std::int64_t step) {
  const std::int64_t done = step + 1;
  status_.step = done;
  const Stopwatch watch;
  const Range share = share_of_batch(job_.data.batch, layout_.mesh.data());
  const Traffic before = traffic_of(layout_);
  stage_times_.begin_step();
  trace_->begin_step(step);
  PendingStep pending = setup_->step.start(
      dataset_.train->batch(position_at(step).samples + share.first, share.count), step);
  settle();  // of the step before, which is done by now, or as far as the device has come
  const double seconds = watch.seconds();
  const bool is_traced = trace_->end_step();
  stage_times_.end_step();
  traffic_ = traffic_since(before, traffic_of(layout_));
  if (is_traced) tell_trace();
  patience_.add(seconds);
  world_.group().set_patience(patience_.seconds());
  times_.add(seconds, pending.tokens());
  const bool checks = is_due(done, job_.parallel.check_replicas);
  const bool waits = !pending.is_late() || checks;
  pending_ = std::move(pending);
  pending_done_ = done;
  if (waits) settle();
  if (checks) check_replicas_now(done);
}

void Trainer::settle() {
  if (!pending_) return;
  const StepReport report = std::exchange(pending_, std::nullopt)->take();
  const std::int64_t done = pending_done_;
  const bool first = done == start_.step + 1, last = done == job_.run.steps;
  if (is_due(done, job_.log.every) || first || last || report.skipped) record(done, report);
}

void Trainer::record(std::int64_t step, const StepReport& report) {
  const auto speed = times_.take(world_.group().all_reduce(times_.seconds(), ReduceOp::max));
  const auto peak = static_cast<double>(backend_->memory().stats().total_peak);
  const double largest = world_.group().all_reduce(peak, ReduceOp::max);
  const StepRecord record = {
      .step = step,
      .loss = report.loss,
      .learning_rate = report.learning_rate,
      .gradient_norm = report.gradient_norm,
      .tokens = position_at(step).tokens,
      .tokens_per_second = speed.tokens_per_second,
      .step_seconds = speed.step_seconds,
      .matrix_flops_per_second = step_flops_ / speed.step_seconds,
      .peak_bytes = static_cast<std::int64_t>(largest),
      .seconds_left = times_.expected_seconds() * static_cast<double>(job_.run.steps - step),
      .loss_scale = report.loss_scale,
      .next_loss_scale = report.next_loss_scale,
      .skipped = report.skipped};
  observers_.tell([&](RunObserver& o) { o.stepped(record); });
}

// Before anything of the step is saved.
void Trainer::check_replicas_now(std::int64_t step) {
  between_steps([&] {
    check_replicas(*setup_->model.parameters, layout_.mesh, job_.parallel.zero == 1, step);
  });
}

// A run that is killed here goes on in the same way. If nothing could be saved, the guides stay,
// and change nothing.
void Trainer::drop_guides(std::int64_t step) {
  std::vector<LinearRule> rules = without_guides(model_.linear, step);
  if (rules == model_.linear) return;
  settle();  // what the last step's numbers belong to goes
  between_steps([&] {
    if (saved_step_ != step) save_now(step);
    if (saved_step_ != step) return;
    model_.linear = std::move(rules);
    setup_.reset();
    set_up();
    checkpoints_.frozen = setup_->model.frozen;
    restore_checkpoint(checkpoints_, {step, checkpoints_.directory / fmt::format("step-{}", step)},
                       *setup_);
    observers_.tell([&](RunObserver& o) { o.noted("  guides have faded out, and are gone"); });
  });
}

void Trainer::do_what_is_due(std::int64_t step) {
  const bool sample = is_due(step, job_.run.sample_every);
  const bool evaluate = is_due(step, job_.run.eval_every);
  const bool save = is_due(step, job_.checkpoint.every);
  if (!sample && !evaluate && !save) return;
  settle();
  between_steps([&] {
    if (sample) sample_now(step);
    if (evaluate) evaluate_now(step, false);
    const bool is_kept = job_.checkpoint.best && is_best(step);
    if (save || is_kept || stops_early(job_, best_)) save_now(step);
  });
}

// Evaluations that are compared are of the same windows.
void Trainer::evaluate_now(std::int64_t step, bool last) {
  if (!dataset_.valid) return;
  const bool all = last || compares_steps(job_) || !job_.task.reads_windows();
  Evaluation result =
      evaluate(*setup_->model.model, *setup_->plain_loss, *backend_,
               {*dataset_.valid, job_.data.valid.string(),
                dataset_.valid_tokens ? tokens_per_byte(*dataset_.valid_tokens) : 0.0},
               {.sequence = job_.data.sequence,
                .batch = micro_batch_sequences(job_, layout_.mesh.data().size()),
                .most_tokens = all ? 0 : kQuickEvaluationTokens,
                .keep_answers = job_.task.has_answers()},
               {layout_.mesh.data(), layout_.mesh.pipeline()});
  result.scores = scores_of(result.answers, metrics_of(job_.task, job_.data, model_.head.labels));
  if (compares_steps(job_)) compare(result, step);
  observers_.tell(
      [&](RunObserver& o) { o.evaluated({.step = step, .result = result, .is_complete = all}); });
}

void Trainer::compare(const Evaluation& result, std::int64_t step) {
  const StopMetric& metric = metric_named(job_.run.early_stop.metric);
  double value = metric.value(result);
  world_.group().broadcast(contiguous_view(&value, DType::f64, {1}), 0).wait();
  take_in(best_, metric, value, step);
}

void Trainer::sample_now(std::int64_t step) {
  // The ranks that share the first copy of the model make it together.
  const bool takes_part = layout_.mesh.data().rank() == 0;
  const bool writes = job_.task.kind == TaskKind::causal_lm && dataset_.tokenizer != nullptr;
  if (job_.run.sample_every == 0 || !takes_part || !writes) return;
  const std::string text =
      sample_text(*setup_->model.model, *backend_, model_.context, dataset_,
                  static_cast<std::uint64_t>(job_.run.seed + step), layout_.mesh.pipeline());
  observers_.tell([&](RunObserver& o) { o.sampled(step, text); });
}

void Trainer::save_now(std::int64_t step) {
  const auto [error, warning] = save_checkpoint(checkpoints_, *setup_, position_at(step));
  observers_.tell([&, &error = error, &warning = warning](RunObserver& o) {
    error.empty() ? o.saved(step, warning) : o.save_failed(step, error);
  });
  if (error.empty()) {
    failed_saves_ = 0;
    saved_step_ = step;
    checkpoints_.before = {step, checkpoints_.directory / fmt::format("step-{}", step)};
  } else if (++failed_saves_ >= kMostFailedSaves) {
    throw IoError("{} checkpoints in a row could not be saved: {}", failed_saves_, error);
  }
}

void Trainer::between_steps(const std::function<void()>& work) {
  world_.group().set_patience(kDefaultPatience);
  work();
  world_.group().barrier();
  world_.group().set_patience(patience_.seconds());
}

int Trainer::agreed_stop() {
  return static_cast<int>(world_.group().all_reduce(stop_.signal(), ReduceOp::max));
}

ExitCode Trainer::stop(int signal, std::int64_t step) {
  settle();
  if (saved_step_ != step) between_steps([&] { save_now(step); });
  if (saved_step_ != step) {
    throw IoError("stopped on request, but step {} could not be saved", step);
  }
  if (trace_->has_events()) tell_trace();
  observers_.tell([&](RunObserver& o) { o.stopped(step); });
  return exit_code_of(signal);
}

std::optional<PipelineTimes> Trainer::gather_stage_times() const {
  if (layout_.mesh.shape().pipeline == 1) return std::nullopt;
  const StagePeak peak = {static_cast<double>(predicted_peak_),
                          static_cast<double>(backend_->memory().stats().total_peak)};
  return stage_times_.gather(peak, setup_->step.program(), execution_order(job_),
                             layout_.mesh.pipeline());
}

// Before the run goes on, as it may never come to its end.
void Trainer::tell_trace() {
  const std::string text = trace_->take();
  observers_.tell([&](RunObserver& o) { o.traced(text); });
}

void Trainer::finish(std::int64_t step) {
  if (saved_step_ != step) {
    throw IoError("{}: the final checkpoint could not be saved; run the same command again",
                  checkpoints_.directory.string());
  }
  if (trace_->has_events()) tell_trace();  // of fewer steps than were asked for
  RunSummary summary;
  summary.checkpoint = checkpoints_.directory / fmt::format("step-{}", step);
  if (compares_steps(job_)) summary.best = describe(best_);
  if (job_.checkpoint.best) summary.best_checkpoint = checkpoints_.directory / kBestName;
  if (step < job_.run.steps) {
    summary.early_stop =
        fmt::format("after step {} of {}: {}", step, job_.run.steps, describe(best_));
  }
  if (start_.step < step) {
    summary.measured = backend_->memory().stats();
    summary.traffic = traffic_;
    summary.times = gather_stage_times();
  }
  observers_.tell([&](RunObserver& o) { o.ended(summary); });
  if (!observers_.first_failure().empty()) {
    throw IoError("all steps are done and saved, but lines of the logs are missing: {}",
                  observers_.first_failure());
  }
}

}  // namespace ty
