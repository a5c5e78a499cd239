#include "core/metrics/glue_score.h"

#include <algorithm>
#include <numeric>

#include "core/base/error.h"

namespace ty {

std::string_view name_of(Metric metric) {
  switch (metric) {
    case Metric::accuracy:
      return "accuracy";
    case Metric::f1:
      return "f1";
    case Metric::matthews:
      return "matthews_correlation";
    case Metric::pearson:
      return "pearson";
    case Metric::spearman:
      return "spearman";
  }
  throw InternalError("no metric {}", static_cast<int>(metric));
}

std::span<const GlueTask> glue_tasks() {
  static const std::vector<GlueTask> kTasks = {
      {"cola", {Metric::matthews}},
      {"sst2", {Metric::accuracy}},
      {"mrpc", {Metric::f1, Metric::accuracy}},
      {"stsb", {Metric::pearson, Metric::spearman}},
      {"qqp", {Metric::f1, Metric::accuracy}},
      {"mnli", {Metric::accuracy}, {"matched", "mismatched"}},
      {"qnli", {Metric::accuracy}},
      {"rte", {Metric::accuracy}},
      {"wnli", {Metric::accuracy}},
  };
  return kTasks;
}

double glue_average(std::span<const GlueResult> results) {
  const std::span<const GlueTask> tasks = glue_tasks();
  TY_CHECK(results.size() == tasks.size(), "{} results; want one of each of {} tasks",
           results.size(), tasks.size());
  double sum = 0;
  for (const GlueTask& task : tasks) {
    const auto result = std::find_if(results.begin(), results.end(),
                                     [&](const GlueResult& one) { return one.task == task.name; });
    TY_CHECK(result != results.end(), "no result of {}", task.name);
    const std::size_t wanted = task.metrics.size() * task.sets.size();
    TY_CHECK(result->values.size() == wanted, "{} values of {}; want {}", result->values.size(),
             task.name, wanted);
    sum += std::accumulate(result->values.begin(), result->values.end(), 0.0) /
           static_cast<double>(wanted);
  }
  return sum / static_cast<double>(tasks.size());
}

}  // namespace ty
