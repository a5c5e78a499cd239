// A norm of own columns is the norm of all of them.
#include "parallel/tensor/norm.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/autograd/backward.h"
#include "core/autograd/replay.h"
#include "core/ops/norm.h"
#include "parallel/comm/threads/threads.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

constexpr std::int64_t kSequences = 2, kLength = 3;

class NormOfColumns : public testing::TestWithParam<int> {
 protected:
  const int ranks_ = GetParam();

  std::vector<double> part(const Tensor& all, const Group& group) const {
    const std::int64_t own = all.dim(-1) / ranks_;
    const View view = all.view().slice(all.rank() - 1, group.rank() * own, own);
    return doubles(all.alias(view).contiguous());
  }
  // The rank's columns of a tensor, as a leaf.
  Tensor leaf(const Tensor& all, const Group& group) const {
    Shape shape = all.shape();
    shape[-1] /= ranks_;
    return make_leaf(Tensor::from<double>(all.backend(), shape, part(all, group)).to(all.dtype()));
  }
  static void expect_near(const std::vector<double>& got, const std::vector<double>& wanted,
                          double tolerance) {
    ASSERT_EQ(got.size(), wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_NEAR(got[i], wanted[i], tolerance * std::max(1.0, std::abs(wanted[i])));
    }
  }
  // Result and gradients beside those of one rank, with so many columns each; rows are `apart` from
  // zero.
  void expect_same(std::int64_t own, DType dtype, double apart, double tolerance) const {
    run_ranks(ranks_, [&](const Group& group) {
      const auto backend = make_cpu_backend();
      const std::int64_t width = ranks_ * own;
      const auto random = [&](const char* name, const Shape& shape, double offset) {
        const Tensor x = random_tensor(*backend, shape, name);
        backend->axpby(x.view(), offset, Tensor::full(*backend, shape, DType::f64, 1.0).view(), 1);
        return x.to(dtype);
      };
      const Shape shape = {kSequences, kLength, width};
      const Tensor x = make_leaf(random("x", shape, apart));
      const Tensor gamma = make_leaf(random("gamma", {width}, 1));
      const Tensor beta = make_leaf(random("beta", {width}, 0)), dy = random("dy", shape, 0);
      const Tensor y = layer_norm(x, gamma, beta, 1e-5);
      backward(y, dy);
      const Tensor own_x = leaf(x.detach(), group), own_gamma = leaf(gamma.detach(), group);
      const Tensor own_beta = leaf(beta.detach(), group);
      const Tensor own_y = layer_norm(own_x, own_gamma, own_beta, 1e-5, group);
      expect_near(doubles(own_y), part(y, group), tolerance);
      backward(own_y, leaf(dy, group).detach());
      expect_near(doubles(grad_of(own_x)), part(grad_of(x), group), tolerance);
      expect_near(doubles(grad_of(own_gamma)), part(grad_of(gamma), group), tolerance);
      expect_near(doubles(grad_of(own_beta)), part(grad_of(beta), group), tolerance);
    });
  }
};

TEST_P(NormOfColumns, IsThatOfTheWholeRow) {
  expect_same(5, DType::f64, 0, 1e-12);
  expect_same(5, DType::f32, 0, 1e-5);
  expect_same(8, DType::bf16, 0, 0.05);
}

// Variances are added up from the ranks' own, not as a difference of large numbers.
TEST_P(NormOfColumns, BearsRowsFarFromZero) { expect_same(6, DType::f32, 1000, 2e-3); }

TEST_P(NormOfColumns, BearsOneColumnOfEachRank) { expect_same(1, DType::f64, 0, 1e-9); }

// Statistics are kept: a replay and its backward send the sums of gradients alone.
TEST_P(NormOfColumns, AReplayGathersNothing) {
  run_ranks(ranks_, [&](const Group& group) {
    const auto backend = make_cpu_backend();
    const Tensor x = make_leaf(random_tensor(*backend, {4, 3}, fmt::format("x{}", group.rank())));
    const Tensor gamma = make_leaf(Tensor::full(*backend, {3}, DType::f64, 1.5));
    const Tensor beta = make_leaf(Tensor::full(*backend, {3}, DType::f64, 0.5));
    const Tensor y = recompute(
        [&](std::span<const Tensor> in) { return layer_norm(in[0], gamma, beta, 1e-5, group); },
        {x});
    const auto gathers = group.counts(CommCall::all_gather).calls;
    backward(y, random_tensor(*backend, {4, 3}, "dy"));
    EXPECT_EQ(group.counts(CommCall::all_gather).calls, gathers);
  });
}

INSTANTIATE_TEST_SUITE_P(Ranks, NormOfColumns, testing::Values(1, 2, 3, 4));

}  // namespace
}  // namespace ty::test
