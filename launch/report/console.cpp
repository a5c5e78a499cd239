#include "launch/report/console.h"

#include <fmt/format.h>

#include <algorithm>

#include "launch/report/linear_table.h"
#include "launch/report/memory_table.h"
#include "launch/report/text.h"
#include "launch/report/timeline_table.h"
#include "launch/report/traffic_table.h"
#include "launch/report/update_table.h"

namespace ty {

void Console::found_complete(const JobConfig& job, const std::string& why) {
  line_.note(fmt::format("{}: {}", job.run.dir.string(), why));
}

namespace {

std::string data_line(const RunFacts& facts) {
  const std::string examples = human_count(static_cast<double>(facts.examples));
  const ModelSpec& model = facts.model;
  if (facts.data_tokens > 0) {
    return fmt::format("  data   {} tokens, vocabulary {}, {} windows of {} per epoch",
                       human_count(static_cast<double>(facts.data_tokens)), model.vocab, examples,
                       facts.job.data.sequence);
  }
  const std::string labels = model.head.kind == HeadSpec::Kind::labels
                                 ? fmt::format(", {} labels", model.head.labels)
                                 : "";
  if (model.reads_images()) {
    return fmt::format("  data   {} images of {} x {} per epoch{}", examples, model.image.size,
                       model.image.size, labels);
  }
  return fmt::format("  data   {} examples per epoch, vocabulary {}{}", examples, model.vocab,
                     labels);
}

}  // namespace

void Console::started(const RunFacts& facts) {
  const ModelSpec& model = facts.model;
  const Plan& plan = facts.plan;
  steps_ = facts.job.run.steps;
  ceiling_ = facts.gemm_flops_ceiling;
  predicted_ = plan.memory;
  predicted_traffic_ = plan.traffic;
  line_.note(fmt::format("trainyard {}  {} rank{} x {} thread{}  run {}", TY_VERSION, facts.ranks,
                         facts.ranks == 1 ? "" : "s", facts.threads, facts.threads == 1 ? "" : "s",
                         facts.job.run.dir.string()));
  const int busy = facts.threads * facts.ranks;
  if (busy < facts.cores || facts.cores == 1) {
    line_.note(fmt::format(
        "  note: {} of this machine's usable cores are in use; see trainyard doctor", busy));
  }
  if (!facts.why_cpu.empty()) {
    line_.note(fmt::format("  device the CPU; run.device: cuda: {}", facts.why_cpu));
  }
  if (!facts.shared_cards.empty()) line_.note("  " + facts.shared_cards);
  line_.note(data_line(facts));
  line_.note(fmt::format("  model  {} {} layers x {}  heads {}  context {}  parameters {}{}",
                         model.family, model.layers, model.width, model.heads, model.context,
                         human_count(static_cast<double>(plan.parameters)),
                         plan.trained == plan.parameters
                             ? ""
                             : "  trained " + human_count(static_cast<double>(plan.trained))));
  if (!exact_rules(plan.linear).empty()) {
    std::string table = format_linear_sites(plan.linear, plan.tokens_per_pass, plan.reuses_weights);
    table.pop_back();  // note() ends the line
    line_.note(table);
  }
  if (std::string table = format_updates(plan.updates); !table.empty()) {
    table.pop_back();
    line_.note(table);
  }
  line_.note(fmt::format("  step   {} tokens, {}FLOP per rank  predicted peak {} per rank",
                         human_count(plan.tokens), human_count(plan.matrix_flops),
                         human_bytes(static_cast<double>(plan.memory.total_peak))));
}

void Console::resumed(std::int64_t step) {
  line_.note(fmt::format("  resumed after step {} of {}", step, steps_));
}

void Console::stepped(const StepRecord& r) {
  line_.update({.step = r.step,
                .steps = steps_,
                .loss = r.loss,
                .learning_rate = r.learning_rate,
                .gradient_norm = r.gradient_norm,
                .tokens_per_second = r.tokens_per_second,
                .flops_per_second = r.matrix_flops_per_second,
                .ceiling = ceiling_,
                .peak_bytes = static_cast<double>(r.peak_bytes),
                .seconds_left = r.seconds_left});
  if (!r.skipped) return;
  line_.note(
      fmt::format("step {} skipped: gradients overflowed fp16 at loss scale {:.0f}, now {:.0f}",
                  r.step, r.loss_scale, r.next_loss_scale));
}

void Console::evaluated(const EvaluationRecord& r) {
  const std::string part =
      r.is_complete ? "" : fmt::format("  (on {} tokens)", human_count(r.result.tokens));
  std::string scores;
  for (const Score& score : r.result.scores) {
    scores += fmt::format("  {} {:.4f}", score.name, score.value);
  }
  if (scores.empty()) scores = fmt::format("  perplexity {:.2f}", r.result.perplexity());
  if (r.result.bits_per_byte > 0) {
    scores += fmt::format("  bits per byte {:.3f}", r.result.bits_per_byte);
  }
  line_.note(fmt::format("  valid  step {}  loss {:.4f}{}{}", r.step, r.result.loss, scores, part));
}

void Console::sampled(std::int64_t step, const std::string& text) {
  std::string line = text;
  std::replace(line.begin(), line.end(), '\n', ' ');
  line_.note(fmt::format("  sample step {}  {}", step, line));
}

void Console::saved(std::int64_t step, const std::string& warning) {
  if (warning.empty()) return;
  line_.note(fmt::format("warning: step {} is saved, but {}", step, warning));
}

void Console::save_failed(std::int64_t step, const std::string& error) {
  line_.note(fmt::format("error: step {} was not saved: {}", step, error));
}

void Console::stopped(std::int64_t step) {
  line_.note(fmt::format("stopped on request after step {}; run the same command to go on", step));
}

void Console::ended(const RunSummary& summary) {
  line_.finish();
  if (summary.measured) {
    line_.note(format_memory(predicted_, &*summary.measured));
    const std::string sent = format_traffic(predicted_traffic_, &summary.traffic);
    if (!sent.empty()) line_.note(sent);
  }
  if (summary.times) line_.note(format_stage_times(*summary.times));
  if (!summary.early_stop.empty()) {
    line_.note("stopped early " + summary.early_stop);
  } else if (!summary.best.empty()) {
    line_.note("best  " + summary.best);
  }
  line_.note(fmt::format("saved {}", summary.checkpoint.string()));
  if (!summary.best_checkpoint.empty()) {
    line_.note(fmt::format("best  {}", summary.best_checkpoint.string()));
  }
}

}  // namespace ty
