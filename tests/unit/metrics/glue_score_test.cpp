#include "core/metrics/glue_score.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

std::string metrics_of(const GlueTask& task) {
  std::string names;
  for (const Metric metric : task.metrics) {
    names += (names.empty() ? "" : " ") + std::string(name_of(metric));
  }
  return names;
}

TEST(GlueScore, TasksHaveTheMetricsOfTheBenchmark) {
  std::string table;
  for (const GlueTask& task : glue_tasks()) {
    table += std::string(task.name) + ": " + metrics_of(task) + "\n";
    EXPECT_EQ(task.sets.size(), task.name == "mnli" ? 2u : 1u);
  }
  EXPECT_EQ(table,
            "cola: matthews_correlation\n"
            "sst2: accuracy\n"
            "mrpc: f1 accuracy\n"
            "stsb: pearson spearman\n"
            "qqp: f1 accuracy\n"
            "mnli: accuracy\n"
            "qnli: accuracy\n"
            "rte: accuracy\n"
            "wnli: accuracy\n");
}

std::vector<GlueResult> zeros() {
  std::vector<GlueResult> results;
  for (const GlueTask& task : glue_tasks()) {
    const std::size_t values = task.metrics.size() * task.sets.size();
    results.push_back({std::string(task.name), std::vector<double>(values)});
  }
  return results;
}

TEST(GlueScore, AverageWeighsTasksEqually) {
  for (std::size_t task = 0; task < 9; ++task) {
    std::vector<GlueResult> results = zeros();
    for (double& value : results[task].values) value = 0.9;
    EXPECT_NEAR(glue_average(results), 0.1, 1e-15) << results[task].task;
  }
  std::vector<GlueResult> results = zeros();
  results[2].values = {0.9, 0.0};
  EXPECT_NEAR(glue_average(results), 0.05, 1e-15);
}

TEST(GlueScore, AverageNeedsEveryTaskWhole) {
  std::vector<GlueResult> results = zeros();
  results[3].values.pop_back();
  EXPECT_TRUE(contains(message_of<InternalError>([&] { glue_average(results); }),
                       "1 values of stsb; want 2"));
  results[3] = results[4];
  EXPECT_TRUE(
      contains(message_of<InternalError>([&] { glue_average(results); }), "no result of stsb"));
  results.pop_back();
  EXPECT_TRUE(contains(message_of<InternalError>([&] { glue_average(results); }),
                       "8 results; want one of each of 9 tasks"));
}

}  // namespace
}  // namespace ty::test
