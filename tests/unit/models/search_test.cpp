#include "models/compress/search.h"

#include <gtest/gtest.h>

namespace ty::test {
namespace {

using Layers = std::vector<std::vector<Candidate>>;
using Chosen = std::vector<std::size_t>;

// What no choice of the same cost or less can beat.
double least_error(const Layers& layers, double most) {
  double least = 1e300;
  for (const Candidate& a : layers[0]) {
    for (const Candidate& b : layers[1]) {
      if (a.cost + b.cost <= most) least = std::min(least, a.error + b.error);
    }
  }
  return least;
}

TEST(Search, TakesTheLeastErrorThatFits) {
  // The second layer loses less by a cut of the same cost.
  const Layers layers = {{{0, 10}, {0.2, 5}, {0.6, 1}}, {{0, 10}, {0.1, 5}, {0.5, 1}}};
  EXPECT_EQ(choose_candidates(layers, 20), (Chosen{0, 0}));
  EXPECT_EQ(choose_candidates(layers, 15), (Chosen{0, 1}));
  EXPECT_EQ(choose_candidates(layers, 10), (Chosen{1, 1}));
  EXPECT_EQ(choose_candidates(layers, 2), (Chosen{2, 2}));
  EXPECT_EQ(choose_candidates(layers, 1), (Chosen{2, 2})) << "the cheapest, where nothing fits";
}

TEST(Search, SpendsWhatOnePriceLeavesOver) {
  // (0.35, 6) lies above the line from (0, 10) to (0.6, 1): no price chooses it.
  const Layers layers = {{{0, 10}, {0.35, 6}, {0.6, 1}}, {{0, 10}, {0.9, 1}}};
  EXPECT_EQ(choose_candidates(layers, 16.5), (Chosen{1, 0}));
}

TEST(Search, IsTheBestOfAllOnConvexLists) {
  const Layers layers = {{{0, 16}, {0.01, 8}, {0.04, 4}, {0.16, 2}, {0.5, 1}},
                         {{0, 9}, {0.05, 6}, {0.15, 4}, {0.4, 2}, {0.8, 1}}};
  for (const double most : {25.0, 17.0, 14.0, 10.0, 8.0, 6.0, 4.0, 2.0}) {
    const Chosen chosen = choose_candidates(layers, most);
    const Candidate &a = layers[0][chosen[0]], &b = layers[1][chosen[1]];
    EXPECT_LE(a.cost + b.cost, most);
    EXPECT_LE(a.error + b.error, 1.5 * least_error(layers, most)) << most;
  }
}

}  // namespace
}  // namespace ty::test
