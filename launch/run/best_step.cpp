#include "launch/run/best_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/error.h"
#include "core/base/suggest.h"
#include "core/io/json_fields.h"
#include "core/metrics/glue_score.h"
#include "launch/job/limits.h"

namespace ty {

namespace {

// One that this task has not is NaN, which is never better.
template <Metric metric>
double score(const Evaluation& evaluation) {
  return evaluation.score(name_of(metric));
}

constexpr std::array kMetrics = {
    StopMetric{"valid_loss", false, [](const Evaluation& e) { return e.loss; }},
    StopMetric{"accuracy", true, score<Metric::accuracy>},
    StopMetric{"f1", true, score<Metric::f1>},
    StopMetric{"matthews_correlation", true, score<Metric::matthews>},
    StopMetric{"pearson", true, score<Metric::pearson>},
    StopMetric{"spearman", true, score<Metric::spearman>}};

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const StopMetric& metric : kMetrics) all.emplace_back(metric.name);
  return all;
}

}  // namespace

std::span<const StopMetric> metrics() { return kMetrics; }

const StopMetric& metric_named(std::string_view name) {
  const auto found = std::find_if(kMetrics.begin(), kMetrics.end(),
                                  [&](const StopMetric& metric) { return metric.name == name; });
  if (found != kMetrics.end()) return *found;
  const std::vector<std::string> known = names();
  throw ConfigError(Key{"run.early_stop.metric"}, "got {}; evaluations have {}{}", name,
                    fmt::join(known, ", "), did_you_mean(name, known));
}

bool take_in(BestStep& best, const StopMetric& metric, double value, std::int64_t step) {
  if (best.metric != metric.name) best = {.metric = std::string(metric.name)};
  const bool is_better =
      best.step < 0 || (metric.higher_is_better ? value > best.value : value < best.value);
  if (is_better) {
    best.value = value;
    best.step = step;
    best.since = 0;
  } else {
    ++best.since;
  }
  return is_better;
}

bool compares_steps(const JobConfig& job) {
  return job.checkpoint.best || job.run.early_stop.patience > 0;
}

bool stops_early(const JobConfig& job, const BestStep& best) {
  const EarlyStopping& rule = job.run.early_stop;
  return rule.patience > 0 && best.metric == rule.metric && best.since >= rule.patience;
}

std::string describe(const BestStep& best) {
  const std::string place =
      fmt::format("{} was {:.4f} at step {}", best.metric, best.value, best.step);
  if (best.since == 0) return place;
  return fmt::format("{} and has not been better in {} evaluation{}", place, best.since,
                     best.since == 1 ? "" : "s");
}

nlohmann::json to_json(const BestStep& best) {
  return {{"metric", best.metric},
          {"value", best.value},
          {"step", best.step},
          {"evaluations_since", best.since}};
}

BestStep best_step_of(const nlohmann::json& fields, const std::string& place) {
  if (!fields.contains("best")) return {};
  const JsonFields stored(fields["best"], place + ": best");
  constexpr double kLargest = 1e300;
  return {.metric = stored.text("metric"),
          .value = stored.number("value", -kLargest, kLargest),
          .step = stored.integer("step", {0, kMostSteps}),
          .since = stored.integer("evaluations_since", {0, kMostSteps})};
}

}  // namespace ty
