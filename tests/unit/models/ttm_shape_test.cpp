#include "models/linear/ttm/ttm_shape.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "models/linear/ttm/choose_shape.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

using Sizes = std::vector<std::int64_t>;

TEST(TtmShape, KnowsItsCoresAndSizes) {
  const Sizes bonds = {3, 7};
  const TtmShape s = with_ranks({2, 4, 1}, {5, 1, 3}, bonds);
  EXPECT_EQ(s.core_shape(0), (std::array<std::int64_t, 4>{1, 2, 5, 3}));
  EXPECT_EQ(s.core_shape(1), (std::array<std::int64_t, 4>{3, 4, 1, 7}));
  EXPECT_EQ(s.core_shape(2), (std::array<std::int64_t, 4>{7, 1, 3, 1}));
  EXPECT_EQ(s.num_parameters(), 30 + 84 + 21);
  EXPECT_EQ(s.padded_in(), 8);
  EXPECT_EQ(s.padded_out(), 15);
  EXPECT_EQ(to_string(s), "in [2, 4, 1] out [5, 1, 3] ranks [3, 7]");
  EXPECT_EQ(with_rank({6}, {4}, 9).num_parameters(), 24);  // one core is the dense matrix
}

TEST(TtmShape, SaysWhichRuleIsBroken) {
  const auto refusal = [](const TtmShape& shape, RankCap cap = RankCap::ignore) {
    return message_of<ConfigError>([&] { validate(shape, 1024, 4096, cap); });
  };
  EXPECT_EQ(refusal(with_rank({16, 16, 3}, {16, 16, 16}, 72)),
            "ttm: in modes [16, 16, 3] multiply to 768, but the layer has 1024 in features; the "
            "product must be 1024 or more");
  EXPECT_EQ(refusal(with_rank({16, 16, 4}, {16, 16, 15}, 72)),
            "ttm: out modes [16, 16, 15] multiply to 3840, but the layer has 4096 out features; "
            "the product must be 4096 or more");
  EXPECT_EQ(refusal(with_rank({16, 16, 4}, {64, 64}, 72)),
            "ttm: in [16, 16, 4] has 3 modes and out [64, 64] has 2; give one of each per core");
  EXPECT_EQ(refusal(with_rank({}, {}, 72)),
            "ttm: in [] has 0 modes and out [] has 0; give one of each per core");
  EXPECT_EQ(refusal(with_rank({16, 0, 64}, {16, 16, 16}, 72)),
            "ttm: mode 2 of in [16, 0, 64] is 0; give 1 or more");
  EXPECT_EQ(refusal({{16, 16, 4}, {16, 16, 16}, {1, 72, 1}}),
            "ttm: 3 cores have 2 inner ranks, but 1 are given: [72]");
  EXPECT_EQ(refusal({{16, 16, 4}, {16, 16, 16}, {}}),
            "ttm: 3 cores have 2 inner ranks, but 0 are given: []");
  EXPECT_EQ(refusal({{16, 16, 4}, {16, 16, 16}, {2, 72, 72, 1}}),
            "ttm: the outer ranks are 2 and 1; both must be 1");
  EXPECT_EQ(refusal({{16, 16, 4}, {16, 16, 16}, {1, 72, 0, 1}}),
            "ttm: rank R_2 of [72, 0] is 0; give 1 or more");
  const TtmShape beyond = with_rank({16, 16, 4}, {16, 16, 16}, 72);
  EXPECT_EQ(refusal(beyond, RankCap::require),
            "ttm: rank R_2 = 72 exceeds 64, the most that in [16, 16, 4] out [16, 16, 16] can use; "
            "lower it or clip ranks");
  EXPECT_NO_THROW(validate(beyond, 1024, 4096));
  EXPECT_NO_THROW(validate(beyond, 1021, 4000));  // padded
}

TEST(TtmShape, ClipsRanksToWhatBondsCanUse) {
  const Sizes caps = rank_caps(with_rank({8, 12, 8}, {12, 16, 16}, 1));
  EXPECT_EQ(caps, (Sizes{1, 96, 128, 1}));
  EXPECT_EQ(clip_ranks(with_rank({8, 12, 8}, {12, 16, 16}, 110)).ranks, (Sizes{1, 96, 110, 1}));
  EXPECT_EQ(clip_ranks(with_rank({2, 2, 2, 2}, {3, 1, 2, 5}, 1000)).ranks,
            (Sizes{1, 6, 12, 10, 1}));
  const Sizes starved = {2, 100};  // the second core makes at most 2 * 8 directions
  EXPECT_EQ(clip_ranks(with_ranks({16, 2, 16}, {16, 4, 16}, starved)).ranks, (Sizes{1, 2, 16, 1}));
  EXPECT_EQ(clip_ranks(with_rank({7}, {3}, 5)).ranks, (Sizes{1, 1}));
}

TEST(TtmShape, HugeModesSaturateInsteadOfWrapping) {
  const std::int64_t large = std::int64_t{1} << 40;
  const TtmShape s = with_rank({large, large}, {large, large}, 5);
  EXPECT_NO_THROW(validate(s, 1024, 1024, RankCap::require));
  EXPECT_GT(s.padded_in(), large);
}

// Counts of published models: GPT-2 medium with TTM-72 MLPs, BERT and BART with factorised
// feed-forward layers.
TEST(TtmShape, HasThePublishedParameterCounts) {
  const TtmShape up = with_rank({16, 16, 4}, {16, 16, 16}, 72);
  const TtmShape down = with_rank({16, 16, 16}, {4, 16, 16}, 72);
  EXPECT_EQ(up.num_parameters(), 1'350'144);
  EXPECT_EQ(down.num_parameters(), 1'350'144);
  const std::int64_t dense_mlps = 24 * 2 * 1024 * 4096;
  EXPECT_EQ(354'823'168 - dense_mlps + 24 * (up.num_parameters() + down.num_parameters()),
            218'303'488);

  const auto model = [](std::int64_t dense, std::int64_t rank) {
    const TtmShape s = clip_ranks(with_rank({8, 12, 8}, {12, 16, 16}, rank));
    return dense + 24 * s.num_parameters();
  };
  EXPECT_EQ(model(52'859'136, 10), 53'373'696);
  EXPECT_EQ(model(52'859'136, 60), 69'770'496);
  EXPECT_EQ(model(52'859'136, 110), 102'078'720);
  EXPECT_EQ(model(82'797'312, 10), 83'311'872);
  EXPECT_EQ(model(82'797'312, 64), 102'015'744);
  EXPECT_EQ(model(82'797'312, 96), 125'780'736);
}

TEST(ChooseShape, GivesTheModesOfGpt2Medium) {
  EXPECT_EQ(to_string(choose_shape(1024, 4096, 72)),
            "in [16, 16, 4] out [16, 16, 16] ranks [72, 72]");
  EXPECT_EQ(to_string(choose_shape(4096, 1024, 72)),
            "in [16, 16, 16] out [16, 16, 4] ranks [72, 72]");
  EXPECT_EQ(choose_shape(1024, 4096, 10).num_cores(), 3);  // a low rank asks for no more cores
}

TEST(ChooseShape, PadsOnlySizesWithALargePrimeFactor) {
  EXPECT_EQ(next_2_3_smooth(1), 1);
  EXPECT_EQ(next_2_3_smooth(1021), 1024);
  EXPECT_EQ(next_2_3_smooth(50257), 52488);  // 2^3 3^8
  EXPECT_EQ(next_2_3_smooth(52488), 52488);
  const auto padded = [](std::int64_t in, std::int64_t out) {
    const TtmShape s = choose_shape(in, out, 16);
    return std::pair(s.padded_in(), s.padded_out());
  };
  EXPECT_EQ(padded(1021, 768), std::pair(1024L, 768L));
  EXPECT_EQ(padded(768, 50257), std::pair(768L, 52488L));
  EXPECT_EQ(padded(4096, 11008), std::pair(4096L, 11008L));  // 43 * 2^8 splits well as it is
  EXPECT_EQ(padded(1000, 1280), std::pair(1000L, 1280L));
}

TEST(ChooseShape, UsesFewerCoresWhenModesWouldNotCarryTheRank) {
  for (std::int64_t rank : {1, 10, 72, 300, 2000, 100000}) {
    const TtmShape s = choose_shape(1024, 4096, rank);
    for (int k = 0; k + 1 < s.num_cores(); ++k) EXPECT_GE(s.mode(k), rank) << to_string(s);
  }
  EXPECT_EQ(choose_shape(1024, 4096, 300).num_cores(), 2);
  EXPECT_EQ(choose_shape(1024, 4096, 100000).num_cores(), 1);
}

TEST(ChooseShape, BalancesTheModesOfEverySize) {
  for (std::int64_t in : {1, 2, 3, 60, 64, 97, 360, 768, 1021, 2048, 50257}) {
    for (std::int64_t out : {1, 5, 64, 144, 1280, 3072, 30522}) {
      const TtmShape s = choose_shape(in, out, 4);
      SCOPED_TRACE(fmt::format("{} x {}: {}", in, out, to_string(s)));
      EXPECT_NO_THROW(validate(s, in, out));
      EXPECT_LE(s.padded_in(), in + in / 2 + 1);
      EXPECT_LE(s.padded_out(), out + out / 2 + 1);
      if (in < 768 || out < 144) continue;
      double smallest = 1e18, largest = 0.0;
      for (int k = 0; k < 3; ++k) {
        smallest = std::min(smallest, static_cast<double>(s.mode(k)));
        largest = std::max(largest, static_cast<double>(s.mode(k)));
      }
      EXPECT_LE(largest / smallest, 8.0);
    }
  }
  EXPECT_EQ(to_string(choose_shape(64, 256, 10)), "in [8, 4, 2] out [8, 4, 8] ranks [10, 10]");
}

TEST(ChooseShape, RefusesWhatHasNoShape) {
  EXPECT_EQ(message_of<ConfigError>([] { choose_shape(0, 8, 4); }),
            "ttm: no shape for 0 x 8 features, rank 4 and at most 3 cores; all must be 1 or more");
}

TEST(RankForBudget, IsTheLargestThatFits) {
  for (const TtmShape& modes :
       {with_rank({16, 16, 4}, {16, 16, 16}, 1), with_rank({8, 8}, {8, 16}, 1),
        with_rank({3, 5, 2, 7}, {4, 1, 6, 3}, 1)}) {
    const auto count = [&](std::int64_t rank) {
      return with_rank(modes.in, modes.out, rank).num_parameters();
    };
    for (std::int64_t rank : {1, 2, 17, 72, 500}) {
      EXPECT_EQ(rank_for_budget(modes, count(rank)), rank);
      EXPECT_EQ(rank_for_budget(modes, count(rank + 1) - 1), rank);
    }
  }
  EXPECT_EQ(rank_for_budget(with_rank({4}, {6}, 1), 24), 1);
  EXPECT_EQ(message_of<ConfigError>([] {
              rank_for_budget(with_rank({8, 8}, {8, 16}, 1), 191);
            }),
            "ttm: in [8, 8] out [8, 16] needs 192 parameters at rank 1, more than the budget of "
            "191");
}

}  // namespace
}  // namespace ty::test
