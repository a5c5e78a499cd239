#include "models/transformer/kv_cache.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/ops/attention.h"
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

TEST_F(Cache, MakesFixedKeysOnceAndKeepsThemWithTheirSequences) {
  KvCache cache(2, 7);
  int made = 0;
  const auto make = [&] {
    ++made;
    return KvCache::Entry{random_tensor(*backend_, {2, kHeads, 5, 4}, "keys"),
                          random_tensor(*backend_, {2, kHeads, 5, 4}, "values")};
  };
  const std::vector<double> keys = doubles(cache.fixed(9, make).keys);
  cache.keep(std::vector<std::int64_t>{1});
  const std::vector<double> kept = doubles(cache.fixed(9, make).keys);
  EXPECT_EQ(made, 1);
  EXPECT_EQ(kept, std::vector<double>(keys.begin() + std::ssize(keys) / 2, keys.end()));
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
