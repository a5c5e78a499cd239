#include "core/metrics/transfer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/base/error.h"
#include "core/base/random.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

using List = std::vector<double>;

TEST(Transfer, JointScoreIsTheMeanOfProducts) {
  const TransferScores scores = transfer_scores(List{1, 0}, List{0.5, 1}, List{0.5, 1});
  EXPECT_EQ(scores.sta, 0.5);
  EXPECT_EQ(scores.sim, 0.75);
  EXPECT_EQ(scores.fl, 0.75);
  EXPECT_EQ(scores.j, 0.125) << "not the product of the means";
}

TEST(Transfer, JointScoreIsAtMostEveryMean) {
  const RandomStream stream(1, site_id("transfer"), 0);
  std::uint64_t next = 0;
  const auto share = [&] { return static_cast<double>(stream.word(0, next++)) / 4294967295.0; };
  for (int trial = 0; trial < 100; ++trial) {
    List sta, sim, fl;
    for (int i = 0; i < 9; ++i) {
      sta.push_back(share());
      sim.push_back(share());
      fl.push_back(share());
    }
    const TransferScores scores = transfer_scores(sta, sim, fl);
    EXPECT_LE(scores.j, std::min({scores.sta, scores.sim, scores.fl}));
  }
}

TEST(Transfer, RefusesListsOfDifferentLengths) {
  EXPECT_TRUE(contains(message_of<InternalError>([] {
                         transfer_scores(List{1}, List{1, 1}, List{1});
                       }),
                       "1 numbers of style, 2 of similarity, 1 of fluency"));
  EXPECT_THROW(transfer_scores({}, {}, {}), InternalError);
}

}  // namespace
}  // namespace ty::test
