// Which layout is chosen for layers that a job leaves open, and what the choice says.
#include "models/linear/base/layout.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "models/linear/dense/dense.h"
#include "models/linear/svd/svd.h"
#include "models/linear/ttm/ttm.h"
#include "parallel/comm/phantom/phantom.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

enum class Outside : std::uint8_t { all_tokens, own_tokens };

Sharing of_ranks(int ranks, Outside outside, int rank = 0) {
  return {.tensor = Group(std::make_shared<PhantomCommunicator>(rank, ranks)),
          .rows = outside == Outside::own_tokens};
}

SharedLayer layer_of(const LinearSpec& spec, std::int64_t in, std::int64_t out, Split split,
                     const Sharing& sharing) {
  const LinearShape shape = {.in = in, .out = out};
  const LinearSpec complete = resolved(spec, shape);
  return {complete, shape, split, layouts_of(complete, shape, split, sharing)};
}

LayoutChoice choice_of(const LinearSpec& spec, std::int64_t in, std::int64_t out, Split split,
                       const Sharing& sharing) {
  return choose_layout(layer_of(spec, in, out, split, sharing), sharing);
}

using Pair = std::pair<LayoutChoice, LayoutChoice>;
Pair mlp_of(const LinearSpec& up, const LinearSpec& down, std::int64_t width,
            const Sharing& sharing) {
  return choose_layouts(layer_of(up, width, 4 * width, Split::out, sharing),
                        layer_of(down, 4 * width, width, Split::in, sharing), Between::rows,
                        sharing);
}

const TtmSpec kUp = {.in = {8, 12, 8}, .out = {12, 16, 16}, .rank = 20};
const TtmSpec kDown = {.in = {12, 16, 16}, .out = {8, 12, 8}, .rank = 20};

TEST(Layout, LargeLayersAreSplit) {
  for (const Outside outside : {Outside::all_tokens, Outside::own_tokens}) {
    const LayoutChoice choice = choice_of(DenseSpec{}, 64, 256, Split::out, of_ranks(4, outside));
    EXPECT_EQ(choice.layout, LinearLayout::split);
    EXPECT_EQ(choice.only, "whole, it takes more than 1/4 of a dense layer");
  }
}

TEST(Layout, WhatCannotBeSplitIsWhole) {
  const Sharing sharing = of_ranks(5, Outside::own_tokens);
  const LayoutChoice choice =
      choice_of(TtmSpec{.in = {8, 10}, .out = {8, 20}, .rank = 2}, 80, 160, Split::out, sharing);
  EXPECT_EQ(choice.layout, LinearLayout::whole);
  EXPECT_EQ(choice.only, "the first of the out modes [8, 20] is no multiple of 5");
}

TEST(Layout, ALayerWithoutAPossibleOneIsRefused) {
  const Sharing sharing = of_ranks(3, Outside::own_tokens);
  EXPECT_EQ(
      message_of<ConfigError>([&] {
        choice_of(TtmSpec{.in = {4, 4}, .out = {4, 8}, .rank = 2}, 16, 32, Split::out, sharing);
      }),
      "over 3 ranks: no part each, as the first of the out modes [4, 8] is no multiple of 3; "
      "nor all of it, as its out = 32 cannot be divided over 3 ranks");
}

// 3 h numbers of a token cross two ranks both ways for whole qkv layers, and 2 h for split ones;
// over four, half of that.
TEST(Layout, WhatSendsLessIsChosenWhereTheWorkIsTheSame) {
  const TtmSpec qkv = {.in = {12, 64}, .out = {12, 192}, .rank = 4};
  const auto over = [&](int ranks) {
    return choice_of(qkv, 768, 2304, Split::out, of_ranks(ranks, Outside::own_tokens));
  };
  EXPECT_EQ(over(2).layout, LinearLayout::split);
  EXPECT_EQ(over(4).layout, LinearLayout::whole);
  for (const int ranks : {2, 4})
    EXPECT_LT(over(ranks).cost.sent_bytes, over(ranks).other.sent_bytes);
  // 2 T h numbers and the gradients of the second core, of 64 x 192 x 4.
  EXPECT_DOUBLE_EQ(over(2).cost.sent_bytes, (2 * 768 + 2.0 * 64 * 192 * 4 / 4096) * 4 / 2);
}

// With all tokens outside, ranks that hold it whole would all do the same work.
TEST(Layout, WorkThatIsDoneTwiceCounts) {
  const auto [up, down] = mlp_of(kUp, kDown, 768, of_ranks(4, Outside::all_tokens));
  EXPECT_EQ(up.layout, LinearLayout::split);
  EXPECT_EQ(down.layout, LinearLayout::split);
  EXPECT_LT(up.cost.seconds, 0.5 * up.other.seconds);
}

// By itself `up` would be split, since its results are larger than what it reads.
TEST(Layout, TheLayersOfAnMlpAreChosenTogether) {
  const Sharing sharing = of_ranks(2, Outside::own_tokens);
  EXPECT_EQ(choice_of(kUp, 768, 3072, Split::out, sharing).layout, LinearLayout::split);
  const auto [up, down] = mlp_of(kUp, kDown, 768, sharing);
  EXPECT_EQ(up.layout, LinearLayout::whole);
  EXPECT_EQ(down.layout, LinearLayout::whole);
  EXPECT_LT(up.cost.sent_bytes, 0.2 * up.other.sent_bytes);
  // With heads between them the tokens must be swapped for columns.
  const Pair around_heads =
      choose_layouts(layer_of(kUp, 768, 3072, Split::out, sharing),
                     layer_of(kDown, 3072, 768, Split::in, sharing), Between::heads, sharing);
  EXPECT_EQ(around_heads.first.layout, LinearLayout::split);
}

// The gradients of whole factors cross once per step, what lies between split ones in every pass.
TEST(Layout, FactorsOfLargeLayersAreSplit) {
  for (const auto& [width, layout] :
       {std::pair(256, LinearLayout::whole), std::pair(4096, LinearLayout::split)}) {
    const auto [up, down] =
        mlp_of(SvdSpec{.rank = 32}, SvdSpec{.rank = 32}, width, of_ranks(2, Outside::own_tokens));
    EXPECT_EQ(up.layout, layout) << width;
    EXPECT_EQ(down.layout, layout) << width;
  }
}

TEST(Layout, ANamedOneStays) {
  Sharing sharing = of_ranks(2, Outside::own_tokens);
  sharing.layout = LinearLayout::split;
  const auto [up, down] = mlp_of(kUp, kDown, 768, sharing);
  EXPECT_EQ(up.layout, LinearLayout::split);
  EXPECT_EQ(up.only, "named");
  // The other layer is chosen for its neighbour.
  const Sharing open = of_ranks(2, Outside::own_tokens);
  const Pair mixed =
      choose_layouts(layer_of(kUp, 768, 3072, Split::out, sharing),
                     layer_of(kDown, 3072, 768, Split::in, open), Between::rows, open);
  EXPECT_EQ(mixed.first.layout, LinearLayout::split);
  EXPECT_EQ(mixed.second.layout, LinearLayout::split);
}

// Where a rule says hidden, all layers meet between own columns.
TEST(Layout, HiddenLayersBindTheOthers) {
  Sharing sharing = of_ranks(2, Outside::all_tokens);
  sharing.columns = true;
  const SvdSpec svd = {.rank = 8};
  const auto of = [&](const LinearSpec& spec, LinearLayout layout) {
    sharing.layout = layout;
    return choice_of(spec, 32, 64, Split::out, sharing);
  };
  EXPECT_EQ(of(svd, LinearLayout::hidden).only, "named");
  EXPECT_EQ(of(svd, LinearLayout::automatic).layout, LinearLayout::hidden);
  EXPECT_EQ(of(DenseSpec{}, LinearLayout::automatic).layout, LinearLayout::split);
  EXPECT_EQ(of(DenseSpec{}, LinearLayout::split).only, "named");
  const auto refusal = [&](const LinearSpec& spec, LinearLayout layout) {
    return message_of<ConfigError>([&] { of(spec, layout); });
  };
  const std::string other = " over 2 ranks where another layer is hidden: ";
  EXPECT_EQ(refusal(DenseSpec{}, LinearLayout::hidden),
            "layout: hidden over 2 ranks: dense layers have no two factors to split");
  EXPECT_EQ(refusal(svd, LinearLayout::split), "layout: split" + other + "want hidden");
  EXPECT_EQ(refusal(svd, LinearLayout::whole), "layout: whole" + other + "want hidden");
  EXPECT_EQ(refusal(svd, LinearLayout::rank), "layout: rank" + other + "want hidden");
  EXPECT_EQ(refusal(DenseSpec{}, LinearLayout::whole), "layout: whole" + other + "want split");
  EXPECT_EQ(refusal(TtmSpec{.in = {4, 8}, .out = {1, 64}, .rank = 2}, LinearLayout::automatic),
            "layout: auto" + other + "the first of the out modes [1, 64] is no multiple of 2");
  sharing.rows = true;
  EXPECT_EQ(refusal(svd, LinearLayout::hidden),
            "layout: hidden over 2 ranks: wants parallel.sequence: false");
}

TEST(Layout, IsTheSameOnEveryRank) {
  for (int rank = 0; rank < 4; ++rank) {
    EXPECT_EQ(mlp_of(kUp, kDown, 768, of_ranks(4, Outside::own_tokens, rank)),
              mlp_of(kUp, kDown, 768, of_ranks(4, Outside::own_tokens)));
  }
}

}  // namespace
}  // namespace ty::test
