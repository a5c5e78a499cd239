// Products and sums in virtual shards: what one rank computes, several do with the same bits.
#include <gtest/gtest.h>

#include "core/autograd/backward.h"
#include "core/ops/matmul.h"
#include "core/ops/shape.h"
#include "parallel/comm/threads/threads.h"
#include "parallel/tensor/region.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

using Along = WeightShards::Along;

Range part_of(std::int64_t whole, const Group& ranks) {
  const std::int64_t first = whole * ranks.rank() / ranks.size();
  return {first, whole * (ranks.rank() + 1) / ranks.size() - first};
}

Tensor own(const Tensor& whole, int dim, const Group& ranks) {
  const Range part = part_of(whole.dim(dim), ranks);
  return narrow(whole, dim, part.first, part.count).contiguous();
}

TEST(VirtualShards, AreTheSameForAnyNumberOfRanks) {
  EXPECT_EQ(virtual_shards(8, {0, 8}), (Shards{{0, 2}, {2, 2}, {4, 2}, {6, 2}}));
  EXPECT_EQ(virtual_shards(10, {5, 5}), (Shards{{0, 2}, {2, 3}}));
  EXPECT_EQ(virtual_shards(10, {7, 3}), (Shards{{0, 3}}));
  EXPECT_EQ(virtual_shards(3, {0, 3}), (Shards{{0, 1}, {1, 2}}));
  EXPECT_EQ(virtual_shards(1, {0, 1}), (Shards{{0, 1}}));
}

// x through a layer of Split::out and one of Split::in, with the gradients of all.
struct Numbers {
  std::vector<double> y, dx, dout, din;
};

constexpr std::int64_t kRows = 37, kIn = 29, kInner = 50, kOut = 23;

Numbers through_layers(const Group& ranks, DType dtype, bool in_shards) {
  const auto backend = make_cpu_backend(Products::fixed);
  const auto leaf = [&](const Tensor& x) { return make_leaf(x.to(dtype)); };
  const Tensor x = leaf(random_tensor(*backend, {kRows, kIn}, "x"));
  const Tensor out = leaf(own(random_tensor(*backend, {kIn, kInner}, "out"), 1, ranks));
  const Tensor in = leaf(own(random_tensor(*backend, {kInner, kOut}, "in"), 0, ranks));
  const Shards shards = in_shards ? virtual_shards(kInner, part_of(kInner, ranks)) : Shards();
  const Tensor h = linear(identity_all_reduce(x, ranks, Reduction::canonical), out, Tensor(),
                          WeightLayout::in_out, InReplay::read, {Along::out, shards});
  const Tensor y = all_reduce_identity(
      linear(h, in, Tensor(), WeightLayout::in_out, InReplay::read, {Along::in, shards}), ranks,
      Reduction::canonical);
  backward(y, random_tensor(*backend, {kRows, kOut}, "dy").to(dtype));
  return {doubles(y), doubles(grad_of(x)), doubles(grad_of(out)), doubles(grad_of(in))};
}

TEST(VirtualShards, GiveProductsTheSameBitsOnAnyNumberOfRanks) {
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
    const Numbers one = through_layers(Group(), dtype, true);
    const Numbers plain = through_layers(Group(), dtype, false);
    EXPECT_NE(one.y, plain.y) << "sums are in another order";
    for (const int count : {2, 4}) {
      run_ranks(count, [&](const Group& ranks) {
        const Numbers many = through_layers(ranks, dtype, true);
        EXPECT_EQ(many.y, one.y);
        EXPECT_EQ(many.dx, one.dx);
        const Range rows = part_of(kInner, ranks);
        EXPECT_EQ(many.din,
                  std::vector<double>(one.din.begin() + rows.first * kOut,
                                      one.din.begin() + (rows.first + rows.count) * kOut));
        for (std::int64_t i = 0; i < kIn; ++i) {
          for (std::int64_t j = 0; j < rows.count; ++j) {
            EXPECT_EQ(many.dout[static_cast<std::size_t>(i * rows.count + j)],
                      one.dout[static_cast<std::size_t>(i * kInner + rows.first + j)]);
          }
        }
      });
    }
  }
}

// Of one term they are written, and added where there is something to add to.
TEST(AddInTree, AddsNeighboursFirst) {
  const auto backend = make_reference_backend();
  const auto sum = [&](const std::vector<float>& terms, double beta) {
    const Tensor y = Tensor::full(*backend, {1}, DType::f32, 5.0);
    add_in_tree(*backend, y.view(), beta, std::ssize(terms), [&](std::int64_t i, const View& term) {
      backend->fill(term, terms[static_cast<std::size_t>(i)]);
    });
    return doubles(y)[0];
  };
  EXPECT_EQ(sum({3}, 0.0), 3.0);
  EXPECT_EQ(sum({3}, 1.0), 8.0);
  EXPECT_EQ(sum({1, 2, 3, 4}, 1.0), 15.0);
  // From left to right the small ones would be lost.
  EXPECT_EQ(sum({16777216, 0, 1, 1}, 0.0), 16777218.0);
}

}  // namespace
}  // namespace ty::test
