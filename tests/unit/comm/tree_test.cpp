#include "parallel/comm/tree.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace ty {
namespace {

// The association, written out by halving: "((0+1)+(2+3))".
std::string halving(int first, int last) {
  if (last - first == 1) return std::to_string(first);
  const int middle = first + (last - first) / 2;
  return fmt::format("({}+{})", halving(first, middle), halving(middle, last));
}

std::string pair(const std::string& a, const std::string& b) {
  return fmt::format("({}+{})", a, b);
}

std::string stacked(int first, int count) {
  TreeSum<std::string> sum(count);
  for (int i = 0; i < count; ++i) sum.put(i, std::to_string(first + i), pair);
  return sum.take();
}

TEST(Tree, TermsInAnyOrderGiveTheHalvingTree) {
  std::mt19937 random(7);
  for (int n = 1; n <= 130; ++n) {
    EXPECT_EQ(stacked(0, n), halving(0, n));
    std::vector<int> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    TreeSum<std::string> sum(n);
    for (const int i : order) sum.put(i, std::to_string(i), pair);
    EXPECT_EQ(sum.take(), halving(0, n));
  }
}

// Local sums over 2^k ranks, joined in pairs as tree_all_reduce does, are the tree of one rank.
TEST(Tree, AnyPowerOfTwoOfRanksGivesTheTreeOfOneRank) {
  int cases = 0;
  for (int ranks = 1; ranks <= 32; ranks *= 2) {
    for (int n = ranks; n <= 160; n += ranks) {
      std::vector<std::string> sums;
      for (int r = 0; r < ranks; ++r) sums.push_back(stacked(r * (n / ranks), n / ranks));
      for (int distance = 1; distance < ranks; distance *= 2) {
        for (int r = 0; r < ranks; r += 2 * distance) sums[r] = pair(sums[r], sums[r + distance]);
      }
      ASSERT_EQ(sums[0], halving(0, n)) << n << " terms on " << ranks << " ranks";
      ++cases;
    }
  }
  EXPECT_EQ(cases, 160 + 80 + 40 + 20 + 10 + 5);
}

TEST(Tree, EveryTermIsMergedOnceAndFewPartsWait) {
  for (std::int64_t n = 1; n <= 1000; ++n) {
    for (const bool upwards : {true, false}) {
      TreeSum<std::int64_t> sum(n);
      std::int64_t merges = 0, most = 0;
      const auto add = [&](std::int64_t a, std::int64_t b) { return ++merges, a + b; };
      for (std::int64_t i = 0; i < n; ++i) {
        const std::int64_t term = upwards ? i : n - 1 - i;
        sum.put(term, term, add);
        most = std::max(most, sum.num_parts());
      }
      EXPECT_EQ(merges, n - 1);
      EXPECT_LE(static_cast<double>(most), std::ceil(std::log2(static_cast<double>(n))) + 1.0) << n;
      EXPECT_EQ(sum.take(), n * (n - 1) / 2);
    }
  }
}

TEST(Tree, ASumIsNotTakenBeforeAllTermsHaveArrived) {
  TreeSum<double> sum(3);
  sum.put(0, 1.0, std::plus<>());
  EXPECT_THROW(sum.take(), InternalError);
  EXPECT_THROW(sum.put(0, 1.0, std::plus<>()), InternalError);
  EXPECT_THROW(sum.put(3, 1.0, std::plus<>()), InternalError);
  sum.put(2, 1.0, std::plus<>());
  sum.put(1, 1.0, std::plus<>());
  EXPECT_EQ(sum.take(), 3.0);
}

}  // namespace
}  // namespace ty
