// Which step of a run was the best, by a number that is to fall or to rise, and when a run ends
// because no better one came.
#include "launch/run/best_step.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "core/base/error.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

constexpr StopMetric kLoss = {"valid_loss", false, nullptr};
constexpr StopMetric kAccuracy = {"accuracy", true, nullptr};

BestStep after(const StopMetric& metric, const std::vector<double>& values) {
  BestStep best;
  for (std::size_t i = 0; i < values.size(); ++i) {
    take_in(best, metric, values[i], 10 * static_cast<std::int64_t>(i + 1));
  }
  return best;
}

TEST(BestStep, IsTheFirstOfTheLowestOrOfTheHighest) {
  EXPECT_EQ(after(kLoss, {}).step, -1);
  EXPECT_EQ(after(kLoss, {3, 2, 4, 2, 5}), (BestStep{"valid_loss", 2, 20, 3}));
  EXPECT_EQ(after(kAccuracy, {3, 2, 4, 2, 4}), (BestStep{"accuracy", 4, 30, 2}));
  BestStep best = after(kLoss, {3, 2});
  EXPECT_FALSE(take_in(best, kLoss, 2, 30));
  EXPECT_TRUE(take_in(best, kLoss, 1.5, 40));
  EXPECT_EQ(best.since, 0);
}

TEST(BestStep, ForgetsWhatAnotherMetricFound) {
  BestStep best = after(kLoss, {3, 2, 4});
  EXPECT_TRUE(take_in(best, kAccuracy, 0.1, 40));
  EXPECT_EQ(best, (BestStep{"accuracy", 0.1, 40, 0}));
}

TEST(BestStep, EndsARunAfterSoManyEvaluationsThatAreNotBetter) {
  JobConfig job;
  EXPECT_FALSE(compares_steps(job));
  EXPECT_FALSE(stops_early(job, after(kLoss, {1, 2, 3, 4, 5, 6})));
  job.run.early_stop.patience = 2;
  EXPECT_TRUE(compares_steps(job));
  EXPECT_FALSE(stops_early(job, after(kLoss, {})));
  EXPECT_FALSE(stops_early(job, after(kLoss, {3, 2, 4, 1, 2})));
  EXPECT_TRUE(stops_early(job, after(kLoss, {3, 2, 4, 2})));
  EXPECT_FALSE(stops_early(job, after(kAccuracy, {3, 2, 2, 2}))) << "not the job's metric";
  job.run.early_stop.patience = 0;
  job.checkpoint.best = true;
  EXPECT_TRUE(compares_steps(job));
  EXPECT_FALSE(stops_early(job, after(kLoss, {1, 2, 3, 4, 5, 6})));
}

TEST(BestStep, GoesOnFromACheckpoint) {
  for (const BestStep& best : {after(kLoss, {3, 1.0 / 3, 4}), after(kAccuracy, {0.5})}) {
    const auto fields = nlohmann::json::parse(nlohmann::json{{"best", to_json(best)}}.dump());
    EXPECT_EQ(best_step_of(fields, "here"), best);
  }
  EXPECT_EQ(best_step_of(nlohmann::json::object(), "here"), BestStep());
  const nlohmann::json bad = {{"best", {{"metric", "valid_loss"}, {"value", 1}, {"step", -2}}}};
  EXPECT_TRUE(contains(message_of<DataError>([&] { best_step_of(bad, "here"); }), "here: best"));
}

TEST(BestStep, IsToldInWords) {
  EXPECT_EQ(describe(after(kLoss, {3, 2, 4})),
            "valid_loss was 2.0000 at step 20 and has not been better in 1 evaluation");
  EXPECT_EQ(describe(after(kAccuracy, {0.25})), "accuracy was 0.2500 at step 10");
  EXPECT_EQ(message_of<ConfigError>([] { metric_named("valid_los"); }),
            "run.early_stop.metric: got valid_los; evaluations have valid_loss, "
            "accuracy, f1, matthews_correlation, pearson, spearman (did you mean "
            "\"valid_loss\"?)");
  EXPECT_EQ(metric_named("valid_loss").value({.loss = 1.5}), 1.5);
}

}  // namespace
}  // namespace ty::test
