// A loss whose logits are divided by the vocabulary.
#include "parallel/tensor/vocabulary.h"

#include <gtest/gtest.h>

#include "core/autograd/backward.h"
#include "core/ops/loss.h"
#include "core/ops/shape.h"
#include "parallel/comm/threads/threads.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

constexpr std::int64_t kRows = 7, kVocab = 19;

class Parts : public testing::TestWithParam<std::tuple<int, DType>> {
 protected:
  const int ranks_ = std::get<0>(GetParam());
  const DType dtype_ = std::get<1>(GetParam());
  const double tolerance_ = dtype_ == DType::f64 ? 1e-12 : dtype_ == DType::f32 ? 1e-5 : 2e-2;

  // This rank's columns, as even as can be.
  static SharedVocabulary part_of(const Group& group) {
    return {{kVocab * group.rank() / group.size(), kVocab}, group};
  }
  static Tensor columns(const Tensor& whole, const Group& group) {
    const std::int64_t first = kVocab * group.rank() / group.size();
    const std::int64_t last = kVocab * (group.rank() + 1) / group.size();
    return narrow(whole, 1, first, last - first).contiguous();
  }
  void expect_same(const std::vector<std::int32_t>& targets, double scale,
                   const CrossEntropyTerms& terms = {}) const {
    run_ranks(ranks_, [&](const Group& group) {
      const auto backend = make_reference_backend();
      Tensor logits = random_tensor(*backend, {kRows, kVocab}, "logits");
      backend->axpby(logits.view(), scale, logits.view(), 0.0);
      const Tensor ids = Tensor::from<std::int32_t>(*backend, {kRows}, targets);
      const Tensor whole = make_leaf(logits.to(dtype_));
      const Tensor loss = cross_entropy(whole, ids, terms);
      const Tensor seed = Tensor::full(*backend, {1}, loss.dtype(), 0.3);
      backward(loss, seed);

      const Tensor own = make_leaf(columns(logits.to(dtype_), group));
      const Tensor shared = cross_entropy(own, ids, part_of(group), terms);
      EXPECT_NEAR(shared.item(), loss.item(), tolerance_ * std::max(1.0, std::abs(loss.item())));
      backward(shared, seed);
      const auto got = doubles(grad_of(own)), wanted = doubles(columns(grad_of(whole), group));
      for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], wanted[i], tolerance_);
    });
  }
};

TEST_P(Parts, GiveTheLossOfTheWhole) { expect_same({0, 18, 6, 7, 12, 3, 9}, 1.0); }
TEST_P(Parts, LeaveOutWhatDoesNotCount) { expect_same({0, -1, 6, -100, 18, -1, 9}, 1.0); }
TEST_P(Parts, OfNothingButWhatDoesNotCountIsZero) {
  expect_same({-1, -1, -100, -1, -1, -1, -1}, 1.0);
}
TEST_P(Parts, SmoothTheTargetsOverAllIds) {
  expect_same({0, -1, 6, 7, 18, 3, 9}, 1.0, {.label_smoothing = 0.2});
}
TEST_P(Parts, HaveTheWholeRowsZLoss) {
  expect_same({0, -1, 6, 7, 18, 3, 9}, 1.0, {.z_loss = 0.3});
  expect_same({0, -1, 6, 7, 18, 3, 9}, 1.0, {.label_smoothing = 0.1, .z_loss = 0.05});
}
TEST_P(Parts, OfNothingButWhatDoesNotCountIsZeroWithAnyTerms) {
  expect_same({-1, -1, -100, -1, -1, -1, -1}, 1.0, {.label_smoothing = 0.2, .z_loss = 0.3});
  const auto backend = make_reference_backend();
  const Tensor x = make_leaf(random_tensor(*backend, {2, kVocab}, "logits", dtype_));
  const std::vector<std::int32_t> none = {-1, -100};
  const Tensor loss = cross_entropy(x, Tensor::from<std::int32_t>(*backend, {2}, none),
                                    {.label_smoothing = 0.2, .z_loss = 0.3});
  backward(loss, Tensor::full(*backend, {1}, loss.dtype(), 1.0));
  EXPECT_EQ(loss.item(), 0.0);
  EXPECT_EQ(doubles(grad_of(x)), std::vector<double>(2 * kVocab, 0.0));
}
// exp() of these would overflow.
TEST_P(Parts, HaveLargeLogits) { expect_same({0, 18, 6, 7, 12, 3, 9}, 2000.0); }

TEST_P(Parts, AreGathered) {
  run_ranks(ranks_, [&](const Group& group) {
    const auto backend = make_reference_backend();
    const Tensor logits = random_tensor(*backend, {kRows, kVocab}, "logits", dtype_);
    EXPECT_EQ(doubles(all_logits(columns(logits, group), part_of(group))), doubles(logits));
  });
}

INSTANTIATE_TEST_SUITE_P(Ranks, Parts,
                         testing::Combine(testing::Values(1, 2, 3, 4),
                                          testing::Values(DType::f64, DType::f32, DType::bf16)));

}  // namespace
}  // namespace ty::test
