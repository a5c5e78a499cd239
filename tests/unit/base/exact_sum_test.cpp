#include "core/base/exact_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/base/random.h"

namespace ty::test {
namespace {

double sum_of(const std::vector<double>& terms) {
  ExactSum sum;
  for (const double term : terms) sum.add(term);
  return sum.value();
}

// Numbers of very different sizes.
std::vector<double> numbers() {
  std::vector<double> all;
  const RandomStream stream(3, site_id("terms"));
  for (std::uint64_t i = 0; i < 3000; ++i) {
    const auto word = static_cast<double>(stream.word(0, i));
    all.push_back(std::ldexp(word, static_cast<int>(stream.word(1, i) % 200) - 100));
  }
  return all;
}

TEST(ExactSum, IsWhatIntegersAddUpTo) {
  EXPECT_EQ(sum_of({}), 0.0);
  EXPECT_EQ(sum_of({0.0, 1.0, 2.0, 3.5}), 6.5);
  EXPECT_EQ(sum_of({std::ldexp(1.0, 60), 1.0, std::ldexp(1.0, -60)}), std::ldexp(1.0, 60) + 1.0);
}

TEST(ExactSum, LosesNothingToTheOrder) {
  std::vector<double> terms = numbers();
  const double sum = sum_of(terms);
  double naive = 0;
  for (const double term : terms) naive += term;
  EXPECT_NEAR(sum, naive, 1e-12 * naive);
  std::sort(terms.begin(), terms.end());
  EXPECT_EQ(sum_of(terms), sum);
  std::reverse(terms.begin(), terms.end());
  EXPECT_EQ(sum_of(terms), sum);
  // What is far below the last bit of a large term adds up.
  std::vector<double> small(1024, std::ldexp(1.0, -60));
  small.insert(small.begin(), 1.0);
  EXPECT_EQ(sum_of(small), 1.0 + std::ldexp(1.0, -50));
}

TEST(ExactSum, AddsUpDigitByDigit) {
  const std::vector<double> terms = numbers();
  ExactSum all, even, odd;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    all.add(terms[i]);
    (i % 2 == 0 ? even : odd).add(terms[i]);
  }
  const auto other = odd.digits();
  const auto mine = even.digits();
  for (std::size_t d = 0; d < mine.size(); ++d) mine[d] += other[d];
  EXPECT_EQ(even.value(), all.value());
}

TEST(ExactSum, HoldsTheLargestAndTheSmallestNumbers) {
  const double most = std::numeric_limits<double>::max() / 4;
  const double least = std::numeric_limits<double>::denorm_min();
  EXPECT_EQ(sum_of({most, most}), 2 * most);
  EXPECT_EQ(sum_of({least, least, least}), 3 * least);
  EXPECT_EQ(sum_of({std::numeric_limits<double>::min(), least}),
            std::numeric_limits<double>::min() + least);
}

TEST(ExactSum, IsNotFiniteIfATermIsNot) {
  EXPECT_FALSE(std::isfinite(sum_of({1.0, std::numeric_limits<double>::infinity()})));
  EXPECT_FALSE(std::isfinite(sum_of({std::nan(""), 1.0})));
}

}  // namespace
}  // namespace ty::test
