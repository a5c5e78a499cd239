// Scores of random cases, as scikit-learn, scipy, rouge-score and NLTK give them
// (tests/golden/metrics).
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/io/file.h"
#include "core/metrics/classification.h"
#include "core/metrics/correlation.h"
#include "core/metrics/porter_stemmer.h"
#include "core/metrics/rouge.h"

namespace ty::test {
namespace {

using Json = nlohmann::json;
constexpr double kTolerance = 1e-12;

Json golden(const std::string& name) {
  return Json::parse(read_text_file(Path(TY_GOLDEN_DIR) / "metrics" / name, 1 << 20));
}

std::vector<std::int32_t> classes_of(const Json& digits) {
  std::vector<std::int32_t> classes;
  for (const char digit : digits.get<std::string>()) classes.push_back(digit - '0');
  return classes;
}

TEST(MetricsGolden, ClassificationIsThatOfScikitLearn) {
  const Json cases = golden("classification.json");
  ASSERT_EQ(cases.size(), 200u);
  for (const Json& one : cases) {
    const auto expected = classes_of(one["expected"]), predicted = classes_of(one["predicted"]);
    EXPECT_NEAR(accuracy(expected, predicted), one["accuracy"], kTolerance) << one;
    EXPECT_NEAR(f1(expected, predicted), one["f1"], kTolerance) << one;
    EXPECT_NEAR(matthews_correlation(expected, predicted), one["matthews"], kTolerance) << one;
    std::int64_t num_classes = 1;
    const auto counts = one["confusion"].get<std::vector<std::int64_t>>();
    while (num_classes * num_classes < std::ssize(counts)) ++num_classes;
    EXPECT_EQ(confusion_counts(expected, predicted, num_classes).counts, counts) << one;
  }
}

TEST(MetricsGolden, CorrelationIsThatOfScipy) {
  const Json cases = golden("correlation.json");
  ASSERT_EQ(cases.size(), 200u);
  for (const Json& one : cases) {
    const std::vector<double> x = one["x"], y = one["y"], ranks = one["ranks"];
    EXPECT_NEAR(pearson(x, y), one["pearson"], kTolerance) << one;
    EXPECT_NEAR(spearman(x, y), one["spearman"], kTolerance) << one;
    EXPECT_EQ(average_ranks(x), ranks) << one;
  }
}

void expect_scores(const RougeScores& scores, const Json& expected, const Json& of) {
  const RougeScore all[] = {scores.rouge1, scores.rouge2, scores.rouge_l, scores.rouge_l_sum};
  for (std::size_t kind = 0; kind < 4; ++kind) {
    EXPECT_NEAR(all[kind].precision, expected[kind][0], kTolerance) << kind << " " << of;
    EXPECT_NEAR(all[kind].recall, expected[kind][1], kTolerance) << kind << " " << of;
    EXPECT_NEAR(all[kind].f1, expected[kind][2], kTolerance) << kind << " " << of;
  }
}

TEST(MetricsGolden, RougeIsThatOfThePublicPackage) {
  const Json cases = golden("rouge.json");
  ASSERT_EQ(cases.size(), 200u);
  std::vector<std::string> targets, predictions;
  double sum = 0;
  for (const Json& one : cases) {
    targets.push_back(one["target"]);
    predictions.push_back(one["prediction"]);
    sum += one["stemmed"][3][2].get<double>();
    expect_scores(rouge(targets.back(), predictions.back()), one["plain"], one);
    expect_scores(rouge(targets.back(), predictions.back(), Stemming::porter), one["stemmed"], one);
  }
  EXPECT_NEAR(mean_rouge(targets, predictions, Stemming::porter).rouge_l_sum.f1,
              sum / static_cast<double>(cases.size()), kTolerance);
}

TEST(MetricsGolden, StemsAreThoseOfNltk) {
  const Json cases = golden("stems.json");
  ASSERT_EQ(cases.size(), 2000u);
  for (const Json& one : cases) EXPECT_EQ(porter_stem(one[0]), one[1]) << one;
}

}  // namespace
}  // namespace ty::test
