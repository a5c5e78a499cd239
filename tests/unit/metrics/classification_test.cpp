#include "core/metrics/classification.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

using List = std::vector<std::int32_t>;

TEST(Classification, CountsByWhatIsAndWhatWasCalled) {
  const List expected{1, 1, 1, 0, 0, 2}, predicted{1, 1, 0, 1, 0, 2};
  EXPECT_EQ(binary_counts(expected, predicted, 1), (BinaryCounts{2, 1, 1, 2}));
  EXPECT_EQ(confusion_counts(expected, predicted, 3).counts,
            (std::vector<std::int64_t>{1, 1, 0, 1, 2, 0, 0, 0, 1}));
  EXPECT_EQ(confusion_counts(expected, predicted, 3).at(1, 0), 1);
  EXPECT_EQ(accuracy(expected, predicted), 4.0 / 6.0);
  EXPECT_EQ(f1(expected, predicted), 4.0 / 6.0);
  EXPECT_EQ(f1(expected, predicted, 2), 1.0);
}

TEST(Classification, ConstantPredictionCorrelatesWithNothing) {
  EXPECT_EQ(matthews_correlation(List{0, 1, 1, 0}, List{1, 1, 1, 1}), 0.0);
  EXPECT_EQ(matthews_correlation(List{2, 2, 2}, List{0, 1, 2}), 0.0);
  EXPECT_EQ(matthews_correlation(List{3}, List{3}), 0.0);
  EXPECT_EQ(matthews_correlation(List{0, 1, 2}, List{0, 1, 2}), 1.0);
  EXPECT_EQ(matthews_correlation(List{0, 1, 0}, List{1, 0, 1}), -1.0);
}

TEST(Classification, ClassThatNobodyHasScoresZero) {
  EXPECT_EQ(f1(List{0, 0}, List{0, 0}, 1), 0.0);
  EXPECT_EQ(f1(List{1, 0}, List{0, 1}, 1), 0.0);
}

TEST(Classification, RefusesListsThatAreNoPairs) {
  EXPECT_TRUE(contains(message_of<InternalError>([] {
                         accuracy(List{1}, List{1, 0});
                       }),
                       "1 expected and 2 predicted classes"));
  EXPECT_TRUE(contains(message_of<InternalError>([] { matthews_correlation({}, {}); }),
                       "0 expected and 0 predicted classes; want equally many, at least one"));
  EXPECT_TRUE(contains(message_of<InternalError>([] {
                         confusion_counts(List{0, 0}, List{0, 2}, 2);
                       }),
                       "example 1 has class 2; want 0 to 1"));
  EXPECT_TRUE(contains(message_of<InternalError>([] { matthews_correlation(List{-1}, List{0}); }),
                       "example 0 has class -1"));
}

}  // namespace
}  // namespace ty::test
