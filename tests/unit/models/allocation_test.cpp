#include "models/compress/allocation.h"

#include <gtest/gtest.h>

namespace ty::test {
namespace {

using Ranks = std::vector<std::int64_t>;

TEST(Allocation, GivesEachRankWhereItGainsMost) {
  // Gains per weight, from the second value on: 4, 1 of the first; 9, 4, 0.25 of the second.
  const std::vector<RankSpectrum> spectra = {{{3, 2, 1}, 1}, {{4, 3, 2, 0.5}, 1}};
  const std::vector<RankCosts> costs = {{1, 10}, {1, 10}};
  EXPECT_EQ(allocate_ranks(spectra, costs, 2), (Ranks{1, 1}));
  EXPECT_EQ(allocate_ranks(spectra, costs, 3), (Ranks{1, 2}));
  EXPECT_EQ(allocate_ranks(spectra, costs, 4), (Ranks{2, 2})) << "the first of equal gains";
  EXPECT_EQ(allocate_ranks(spectra, costs, 6), (Ranks{3, 3}));
  EXPECT_EQ(allocate_ranks(spectra, costs, 100), (Ranks{3, 4})) << "all there are";
}

TEST(Allocation, CountsWeightsAndFillsUp) {
  const std::vector<RankSpectrum> spectra = {{{3, 3, 3}, 1}, {{1, 1, 1}, 1}};
  // A rank of the first costs 10, which gains 0.9 per weight; of the second 2, which gains 0.5.
  const std::vector<RankCosts> costs = {{10, 3}, {2, 2}};
  EXPECT_EQ(allocate_ranks(spectra, costs, 22), (Ranks{2, 1}));
  EXPECT_EQ(allocate_ranks(spectra, costs, 25), (Ranks{2, 2})) << "what no longer fits is skipped";
  EXPECT_EQ(allocate_ranks(spectra, costs, 100), (Ranks{3, 2})) << "no more than is worth having";
  EXPECT_EQ(allocate_ranks(spectra, costs, 0), (Ranks{1, 1}));
}

TEST(Allocation, WithoutAUnitCountsSharesOfALayer) {
  // The same spectrum, in other units.
  const std::vector<double> small = {4, 2, 1}, large = {400, 200, 100};
  const std::vector<RankCosts> costs = {{1, 10}, {1, 10}};
  EXPECT_EQ(allocate_ranks({{small, 0}, {large, 0}}, costs, 4), (Ranks{2, 2}));
  EXPECT_EQ(allocate_ranks({{small, 1}, {large, 1}}, costs, 4), (Ranks{1, 3}));
  EXPECT_EQ(allocate_ranks({{{0, 0}, 0}, {large, 0}}, costs, 3), (Ranks{1, 2}));
}

}  // namespace
}  // namespace ty::test
