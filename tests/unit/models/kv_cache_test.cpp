#include "models/transformer/kv_cache.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/ops/attention.h"
#include "core/ops/shape.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

constexpr std::int64_t kHeads = 3, kWidth = 12;

class Cache : public testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = make_reference_backend();
  const Tensor qkv_ = random_tensor(*backend_, {2, 7, 3 * kWidth}, "qkv");
  const AttentionOptions options_ = {.causal = true};

  Tensor tokens(std::int64_t sequence, std::int64_t first, std::int64_t count) const {
    return qkv_.alias(qkv_.view().slice(0, sequence, 1).slice(1, first, count)).contiguous();
  }
  // Of one sequence's first `count` tokens, all at once.
  std::vector<double> wanted(std::int64_t sequence, std::int64_t count) const {
    return doubles(self_attention(tokens(sequence, 0, count), kHeads, options_));
  }
  static std::vector<double> last(const std::vector<double>& x) {
    return {x.end() - kWidth, x.end()};
  }
};

TEST_F(Cache, AttendsToWhatItHolds) {
  KvCache cache(1, 7);
  cache.attend(1, tokens(0, 0, 3), kHeads, options_);
  cache.advance(std::vector<std::int64_t>{3});
  const std::vector<double> rest = doubles(cache.attend(1, tokens(0, 3, 4), kHeads, options_));
  const std::vector<double> all = wanted(0, 7);
  EXPECT_EQ(rest, std::vector<double>(all.begin() + 3 * kWidth, all.end()));
}

TEST_F(Cache, HoldsSequencesOfDifferentLengths) {
  KvCache cache(2, 7);
  cache.attend(1, qkv_.alias(qkv_.view().slice(1, 0, 5)).contiguous(), kHeads, options_);
  cache.advance(std::vector<std::int64_t>{5, 2});  // the second one was padded
  const Tensor next = Tensor::empty(*backend_, {2, 1, 3 * kWidth}, DType::f64);
  backend_->copy(next.view().slice(0, 0, 1), tokens(0, 5, 1).view());
  backend_->copy(next.view().slice(0, 1, 1), tokens(1, 2, 1).view());
  const std::vector<double> y = doubles(cache.attend(1, next, kHeads, options_));
  EXPECT_EQ(std::vector<double>(y.begin(), y.begin() + kWidth), last(wanted(0, 6)));
  EXPECT_EQ(last(y), last(wanted(1, 3)));
}

TEST_F(Cache, KeepsTheSequencesItIsToldTo) {
  KvCache cache(2, 7);
  cache.attend(1, qkv_.alias(qkv_.view().slice(1, 0, 4)).contiguous(), kHeads, options_);
  cache.advance(std::vector<std::int64_t>{4, 4});
  cache.keep(std::vector<std::int64_t>{1, 1, 0});
  ASSERT_EQ(cache.sequences(), 3);
  const Tensor next = Tensor::empty(*backend_, {3, 1, 3 * kWidth}, DType::f64);
  for (const std::int64_t b : {0, 1, 2}) {
    backend_->copy(next.view().slice(0, b, 1), tokens(b < 2 ? 1 : 0, 4, 1).view());
  }
  const std::vector<double> y = doubles(cache.attend(1, next, kHeads, options_));
  EXPECT_EQ(std::vector<double>(y.begin(), y.begin() + kWidth), last(wanted(1, 5)));
  EXPECT_EQ(last(y), last(wanted(0, 5)));
}

// Beams of sources 0, 0, 1, 1, of 1, 0, 0, and of 1 alone: keys are made once, of both.
TEST_F(Cache, AttendsToTheSourceOfEachSequence) {
  const std::int64_t width = kWidth / kHeads, length = 5;
  const Tensor keys = random_tensor(*backend_, {2, length, kHeads, width}, "keys"),
               values = random_tensor(*backend_, {2, length, kHeads, width}, "values"),
               queries = random_tensor(*backend_, {4, 3, kWidth}, "queries");
  const Tensor lengths =
      Tensor::from<std::int32_t>(*backend_, {2}, std::vector<std::int32_t>{5, 2});
  const auto row = [](const Tensor& x, std::int64_t i) { return narrow(x, 0, i, 1); };
  const auto by_heads = [](const Tensor& x) { return permute(x, {0, 2, 1, 3}); };
  KvCache cache(2, 7);
  cache.set_source_lengths(lengths);
  int made = 0;
  const auto check = [&](const std::vector<std::int64_t>& sources) {
    const std::int64_t count = std::ssize(sources);
    const std::vector<double> y =
        doubles(cache.attend_source(9, narrow(queries, 0, 0, count), kHeads, {}, [&] {
          ++made;
          return KvCache::Entry{by_heads(keys), by_heads(values)};
        }));
    ASSERT_EQ(std::ssize(y), count * 3 * kWidth);
    for (std::int64_t b = 0; b < count; ++b) {
      const std::int64_t source = sources[static_cast<std::size_t>(b)];
      const Tensor own = reshape(row(queries, b), {1, 3, kHeads, width});
      const std::vector<double> wanted =
          doubles(attention(own, row(keys, source), row(values, source), {}, row(lengths, source)));
      const auto first = y.begin() + b * 3 * kWidth;
      EXPECT_EQ(std::vector<double>(first, first + 3 * kWidth), wanted) << b;
    }
  };
  check({0, 1});
  cache.keep(std::vector<std::int64_t>{0, 0, 1, 1});
  check({0, 0, 1, 1});
  cache.keep(std::vector<std::int64_t>{3, 0, 1});
  check({1, 0, 0});
  cache.keep(std::vector<std::int64_t>{0});
  check({1});
  EXPECT_EQ(made, 1);
}

TEST_F(Cache, RefusesWhatDoesNotFit) {
  KvCache cache(1, 4);
  EXPECT_THROW(cache.attend(1, tokens(0, 0, 5), kHeads, options_), InternalError);
  cache.attend(1, tokens(0, 0, 4), kHeads, options_);
  cache.advance(std::vector<std::int64_t>{4});
  EXPECT_THROW(cache.attend(1, tokens(0, 4, 1), kHeads, options_), InternalError);
}

}  // namespace
}  // namespace ty::test
