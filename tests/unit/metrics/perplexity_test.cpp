#include "core/metrics/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"

namespace ty::test {
namespace {

TEST(Perplexity, OfAUniformModelIsItsVocabulary) {
  EXPECT_NEAR(perplexity(12 * std::log(50257.0), 12), 50257.0, 1e-6);
  EXPECT_EQ(perplexity(0.0, 5), 1.0);
}

TEST(Perplexity, PerWordCountsWordsInsteadOfTokens) {
  const double total = 30.0;
  EXPECT_NEAR(perplexity(total, 10), std::exp(3.0), 1e-12);
  EXPECT_NEAR(perplexity(total, 6), std::exp(5.0), 1e-12);
}

TEST(Perplexity, NeedsSomethingToCount) { EXPECT_THROW(perplexity(1.0, 0), InternalError); }

}  // namespace
}  // namespace ty::test
