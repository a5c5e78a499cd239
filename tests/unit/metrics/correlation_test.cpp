#include "core/metrics/correlation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

using List = std::vector<double>;

TEST(Correlation, OfAConstantIsZero) {
  EXPECT_EQ(pearson(List{0.1, 0.1, 0.1}, List{1, 2, 3}), 0.0);
  EXPECT_EQ(pearson(List{1, 2, 3}, List{7, 7, 7}), 0.0);
  EXPECT_EQ(spearman(List{0.1, 0.1, 0.1}, List{1, 2, 3}), 0.0);
  EXPECT_EQ(spearman(List{0, 0}, List{0, 0}), 0.0);
}

TEST(Correlation, IsOneForALineAndForAnOrder) {
  EXPECT_NEAR(pearson(List{1, 2, 4}, List{12, 14, 18}), 1.0, 1e-15);
  EXPECT_NEAR(pearson(List{1, 2, 4}, List{-1, -2, -4}), -1.0, 1e-15);
  EXPECT_NEAR(spearman(List{1, 2, 4}, List{-5, 0, 100}), 1.0, 1e-15);
  EXPECT_LT(pearson(List{1, 2, 4}, List{-5, 0, 100}), 1.0);
}

TEST(Correlation, DoesNotDependOnTheScale) {
  EXPECT_NEAR(pearson(List{1e-300, 2e-300, 4e-300}, List{1e300, 2e300, 4e300}), 1.0, 1e-15);
  EXPECT_NEAR(pearson(List{1e308, -1e308, 0}, List{1, -1, 0}), 1.0, 1e-15);
}

TEST(Correlation, RanksShareTheMeanOfEqualNumbers) {
  EXPECT_EQ(average_ranks(List{5, 1, 5, 3, 5}), (List{4, 1, 4, 2, 4}));
  EXPECT_EQ(average_ranks(List{2, 2}), (List{1.5, 1.5}));
  EXPECT_EQ(average_ranks({}), List{});
}

TEST(Correlation, OfWhatIsNotFiniteIsNotANumber) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(pearson(List{1, nan}, List{1, 2})));
  EXPECT_TRUE(std::isnan(spearman(List{1, 2}, List{HUGE_VAL, 2})));
}

TEST(Correlation, RefusesListsThatAreNoPairs) {
  EXPECT_TRUE(contains(message_of<InternalError>([] {
                         pearson(List{1, 2}, List{1, 2, 3});
                       }),
                       "2 and 3 numbers; want equally many, at least two"));
  EXPECT_TRUE(
      contains(message_of<InternalError>([] { spearman(List{1}, List{1}); }), "1 and 1 numbers"));
}

}  // namespace
}  // namespace ty::test
