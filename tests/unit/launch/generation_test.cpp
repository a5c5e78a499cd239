#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "models/generation/sampling.h"

namespace ty::test {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

std::set<std::int32_t> drawn(const std::vector<float>& logits, SamplingOptions options) {
  std::set<std::int32_t> ids;
  for (std::int64_t position = 0; position < 2000; ++position) {
    ids.insert(sample_token(logits, options, position).value());
  }
  return ids;
}

TEST(SampleToken, NeverDrawsWhatIsRuledOut) {
  const std::vector<float> logits = {kNever, 1.0f, kNever, 0.5f, kNever};
  using Set = std::set<std::int32_t>;
  EXPECT_EQ(drawn(logits, {.temperature = 1.0}), (Set{1, 3}));
  EXPECT_EQ(drawn(logits, {.temperature = 100.0, .top_k = 4}), (Set{1, 3}));
  EXPECT_EQ(drawn(logits, {.temperature = 1.0, .top_p = 0.1}), Set{1});
  EXPECT_EQ(drawn(logits, {.temperature = 0.0}), Set{1});
}

TEST(SampleToken, DrawsByProbability) {
  const std::vector<float> logits = {std::log(1.0f), kNever, std::log(3.0f)};
  int of_first = 0;
  for (std::int64_t i = 0; i < 4000; ++i) of_first += sample_token(logits, {}, i) == 0;
  EXPECT_NEAR(of_first, 1000, 100);
}

TEST(SampleToken, DrawsNothingWhereNothingIsLeft) {
  EXPECT_EQ(sample_token({kNever, kNever}, {.temperature = 0.0}, 0), std::nullopt);
  EXPECT_EQ(sample_token({kNever, kNever}, {.temperature = 1.0}, 0), std::nullopt);
}

std::vector<float> ruled(const std::vector<std::int32_t>& ids, const RepetitionRules& rules,
                         const TextIds& text = {}) {
  std::vector<float> logits = {1.0f, -1.0f, 2.0f, 3.0f};
  apply_rules(logits, ids, text, rules);
  return logits;
}

TEST(RepetitionRules, RuleOutWhatWouldRepeatARun) {
  using Logits = std::vector<float>;
  EXPECT_EQ(ruled({2, 0, 2, 1, 2}, {.no_repeat_ngram = 2}), (Logits{kNever, kNever, 2, 3}));
  EXPECT_EQ(ruled({2, 0, 3, 2, 0}, {.no_repeat_ngram = 3}), (Logits{1, -1, 2, kNever}));
  EXPECT_EQ(ruled({2, 0}, {.no_repeat_ngram = 3}), (Logits{1, -1, 2, 3}));
  EXPECT_EQ(ruled({3, 1}, {.no_repeat_ngram = 1}), (Logits{1, kNever, 2, kNever}));
}

TEST(RepetitionRules, MakeWhatHasOccurredLessLikely) {
  EXPECT_EQ(ruled({1, 3, 3}, {.penalty = 2.0}), (std::vector<float>{1, -2, 2, 1.5f}));
}

using Logits = std::vector<float>;

Logits forced(std::int64_t made, std::int64_t most, const TextIds& text) {
  Logits logits = {1.0f, -1.0f, 2.0f};
  apply_forced(logits, made, most, text);
  return logits;
}

TEST(ForcedIds, StandFirstAndLast) {
  const TextIds text = {.forced_first = 1, .forced_last = 2};
  EXPECT_EQ(forced(0, 3, text), (Logits{kNever, 0, kNever}));
  EXPECT_EQ(forced(1, 3, text), (Logits{1, -1, 2}));
  EXPECT_EQ(forced(2, 3, text), (Logits{kNever, kNever, 0}));
  EXPECT_EQ(forced(0, 1, text), (Logits{kNever, kNever, 0}));
  EXPECT_EQ(forced(0, 3, {.forced_last = 2}), (Logits{1, -1, 2}));
  EXPECT_EQ(forced(2, 3, {.forced_first = 1}), (Logits{1, -1, 2}));
}

TEST(RepetitionRules, LeaveOnlyIdsThatHaveATextOrEndIt) {
  EXPECT_EQ(ruled({}, {}, {.none = {1}, .size = 3}), (std::vector<float>{1, kNever, 2, kNever}));
}

}  // namespace
}  // namespace ty::test
