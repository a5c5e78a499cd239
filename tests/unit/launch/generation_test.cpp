#include "models/generation/generation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

namespace ty::test {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

std::set<std::int32_t> drawn(const std::vector<float>& logits, SamplingOptions options) {
  std::set<std::int32_t> ids;
  for (std::int64_t position = 0; position < 2000; ++position) {
    ids.insert(sample_token(logits, options, position));
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

}  // namespace
}  // namespace ty::test
