// What lies between parts of a model that are computed once and those that ranks share.
#include "parallel/tensor/region.h"

#include <gtest/gtest.h>

#include "core/autograd/backward.h"
#include "core/autograd/replay.h"
#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "parallel/comm/threads/threads.h"
#include "tests/support/messages.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

// A matrix of each rank, the same on all of them, and sums over ranks of functions of them.
class Region : public testing::TestWithParam<int> {
 protected:
  const int ranks_ = GetParam();
  const std::int64_t rows_ = 3, columns_ = 4;  // of a rank's part

  static Tensor of_rank(Backend& backend, const char* name, int rank, const Shape& shape) {
    return random_tensor(backend, shape, fmt::format("{} {}", name, rank));
  }
  // The ranks' matrices one below the other, or side by side.
  Tensor stacked(Backend& backend, const char* name, const Shape& part, int dim) const {
    Shape shape = part;
    shape[dim] *= ranks_;
    const Tensor all = Tensor::empty(backend, shape, DType::f64);
    for (int r = 0; r < ranks_; ++r) {
      backend.copy(all.view().slice(dim, r * part[dim], part[dim]),
                   of_rank(backend, name, r, part).view());
    }
    return all;
  }
  Tensor summed(Backend& backend, const char* name, const Shape& shape) const {
    const Tensor sum = Tensor::full(backend, shape, DType::f64, 0.0);
    for (int r = 0; r < ranks_; ++r) {
      backend.axpby(sum.view(), 1.0, of_rank(backend, name, r, shape).view(), 1.0);
    }
    return sum;
  }
  static std::vector<double> part(const Tensor& all, int dim, int rank, std::int64_t count) {
    return doubles(all.alias(all.view().slice(dim, rank * count, count)).contiguous());
  }
  static void expect_near(const Tensor& got, const std::vector<double>& wanted) {
    const auto values = doubles(got);
    ASSERT_EQ(values.size(), wanted.size());
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], wanted[i], 1e-12);
  }
};

TEST_P(Region, IdentityAllReduce) {
  run_ranks(ranks_, [&](const Group& group) {
    const auto backend = make_reference_backend();
    const Tensor x = make_leaf(of_rank(*backend, "x", 0, {rows_, columns_}));
    const Tensor y = identity_all_reduce(x, group);
    EXPECT_EQ(doubles(y), doubles(x));
    backward(y, of_rank(*backend, "dy", group.rank(), {rows_, columns_}));
    expect_near(grad_of(x), doubles(summed(*backend, "dy", {rows_, columns_})));
  });
}

TEST_P(Region, AllReduceIdentity) {
  run_ranks(ranks_, [&](const Group& group) {
    const auto backend = make_reference_backend();
    const Tensor x = make_leaf(of_rank(*backend, "x", group.rank(), {rows_, columns_}));
    const auto before = doubles(x);
    const Tensor y = all_reduce_identity(x, group);
    expect_near(y, doubles(summed(*backend, "x", {rows_, columns_})));
    EXPECT_EQ(doubles(x), before) << "x is still read by others";
    const Tensor dy = of_rank(*backend, "dy", 0, {rows_, columns_});
    backward(y, dy);
    EXPECT_EQ(doubles(grad_of(x)), doubles(dy));
  });
}

TEST_P(Region, RowsAreGatheredAndTheirGradientsScattered) {
  run_ranks(ranks_, [&](const Group& group) {
    const auto backend = make_reference_backend();
    const Tensor x = make_leaf(of_rank(*backend, "x", group.rank(), {rows_, columns_}));
    const Tensor y = all_gather_reduce_scatter(x, group);
    EXPECT_EQ(doubles(y), doubles(stacked(*backend, "x", {rows_, columns_}, 0)));
    const Shape whole = {ranks_ * rows_, columns_};
    backward(y, of_rank(*backend, "dy", group.rank(), whole));
    expect_near(grad_of(x), part(summed(*backend, "dy", whole), 0, group.rank(), rows_));
  });
}

TEST_P(Region, SumsAreScatteredByRowsAndTheirGradientsGathered) {
  run_ranks(ranks_, [&](const Group& group) {
    const auto backend = make_reference_backend();
    const Shape whole = {1, ranks_ * rows_, columns_};
    const Tensor x = make_leaf(of_rank(*backend, "x", group.rank(), whole));
    const Tensor y = reduce_scatter_all_gather(x, group);
    const Tensor sum = summed(*backend, "x", whole);
    if (ranks_ > 1) {
      EXPECT_EQ(y.shape(), (Shape{rows_, columns_}));
    }
    expect_near(y, part(sum, 1, group.rank(), rows_));
    backward(y, of_rank(*backend, "dy", group.rank(), y.shape()));
    EXPECT_EQ(doubles(grad_of(x)), doubles(stacked(*backend, "dy", {rows_, columns_}, 0)));
  });
}

TEST_P(Region, ColumnsAreGathered) {
  run_ranks(ranks_, [&](const Group& group) {
    const auto backend = make_reference_backend();
    const Tensor x = make_leaf(of_rank(*backend, "x", group.rank(), {rows_, columns_}));
    const Tensor y = all_gather_columns(x, group);
    EXPECT_EQ(doubles(y), doubles(stacked(*backend, "x", {rows_, columns_}, 1)));
    const Tensor dy = of_rank(*backend, "dy", 0, y.shape());
    backward(y, dy);
    EXPECT_EQ(doubles(grad_of(x)), part(dy, 1, group.rank(), columns_));
  });
}

TEST_P(Region, ColumnsAreGatheredAndTheirGradientsScattered) {
  run_ranks(ranks_, [&](const Group& group) {
    const auto backend = make_reference_backend();
    const Tensor x = make_leaf(of_rank(*backend, "x", group.rank(), {rows_, columns_}));
    const Tensor y = all_gather_reduce_scatter_columns(x, group);
    EXPECT_EQ(doubles(y), doubles(stacked(*backend, "x", {rows_, columns_}, 1)));
    const Shape whole = {rows_, ranks_ * columns_};
    EXPECT_EQ(y.shape(), whole);
    backward(y, of_rank(*backend, "dy", group.rank(), whole));
    expect_near(grad_of(x), part(summed(*backend, "dy", whole), 1, group.rank(), columns_));
  });
}

TEST_P(Region, SumsAreScatteredByColumnsAndTheirGradientsGathered) {
  run_ranks(ranks_, [&](const Group& group) {
    const auto backend = make_reference_backend();
    const Shape whole = {1, rows_, ranks_ * columns_};
    const Tensor x = make_leaf(of_rank(*backend, "x", group.rank(), whole));
    const Tensor y = reduce_scatter_all_gather_columns(x, group);
    EXPECT_EQ(y.shape(), (Shape{1, rows_, columns_}));
    expect_near(y, part(summed(*backend, "x", whole), 2, group.rank(), columns_));
    backward(y, of_rank(*backend, "dy", group.rank(), y.shape()));
    EXPECT_EQ(doubles(grad_of(x)), doubles(stacked(*backend, "dy", y.shape(), 2)));
  });
}

TEST_P(Region, SumsAreReadByAllAndTheirGradientsAddUp) {
  run_ranks(ranks_, [&](const Group& group) {
    const auto backend = make_reference_backend();
    const Shape shape = {rows_, columns_};
    const Tensor x = make_leaf(of_rank(*backend, "x", group.rank(), shape));
    const Tensor y = all_reduce_all_reduce(x, group);
    expect_near(y, doubles(summed(*backend, "x", shape)));
    backward(y, of_rank(*backend, "dy", group.rank(), shape));
    expect_near(grad_of(x), doubles(summed(*backend, "dy", shape)));
  });
}

TEST_P(Region, RowsBecomeColumnsAndBack) {
  run_ranks(ranks_, [&](const Group& group) {
    const auto backend = make_reference_backend();
    // Of a matrix [n R, n C], own rows and own columns.
    const Tensor all = random_tensor(*backend, {ranks_ * rows_, ranks_ * columns_}, "all");
    const auto own_rows = part(all, 0, group.rank(), rows_);
    const auto own_columns = part(all, 1, group.rank(), columns_);
    const Tensor x =
        make_leaf(Tensor::from<double>(*backend, {rows_, ranks_ * columns_}, own_rows));
    const Tensor y = rows_to_columns(x, group);
    EXPECT_EQ(doubles(y), own_columns);
    EXPECT_EQ(doubles(columns_to_rows(y, group)), own_rows);
    backward(y, Tensor::from<double>(*backend, {ranks_ * rows_, columns_}, own_columns));
    EXPECT_EQ(doubles(grad_of(x)), own_rows);
    const Tensor z = make_leaf(y.detach());
    backward(columns_to_rows(z, group),
             Tensor::from<double>(*backend, {rows_, ranks_ * columns_}, own_rows));
    EXPECT_EQ(doubles(grad_of(z)), own_columns);
  });
}

// What crossed ranks is taken from memory, so calls in backward are those of the gradients alone.
TEST_P(Region, AReplayCallsNoCollective) {
  run_ranks(ranks_, [&](const Group& group) {
    const auto backend = make_reference_backend();
    const Tensor x = make_leaf(of_rank(*backend, "x", group.rank(), {rows_, columns_}));
    const auto fn = [&](std::span<const Tensor> in) {
      const Tensor rows = all_gather_reduce_scatter(scale(in[0], 2.0), group);
      return reduce_scatter_all_gather(activation(UnaryOp::gelu_tanh, rows), group);
    };
    const auto calls = [&] {
      std::int64_t sum = 0;
      for (const CommCall call : kCommCalls) sum += group.counts(call).calls;
      return sum;
    };
    const Tensor dy = of_rank(*backend, "dy", group.rank(), {rows_, columns_});
    backward(fn(std::vector<Tensor>{x}), dy);
    const auto plain = doubles(grad_of(x));
    leaf_of(x).clear();
    const auto before = calls();
    const Tensor y = recompute([&](std::span<const Tensor> in) { return fn(in); }, {x});
    backward(y, dy);
    EXPECT_EQ(calls() - before, group.size() == 1 ? 0 : 4);
    EXPECT_EQ(doubles(grad_of(x)), plain);
  });
}

INSTANTIATE_TEST_SUITE_P(Ranks, Region, testing::Values(1, 2, 3, 4));

TEST(RegionSizes, ThatRanksDoNotDivideAreRefused) {
  run_ranks(2, [](const Group& group) {
    const auto backend = make_reference_backend();
    const Tensor x = random_tensor(*backend, {3, 5}, "x");
    EXPECT_EQ(message_of<ShapeError>([&] { reduce_scatter_all_gather(x, group); }),
              "reduce_scatter_all_gather: 3 rows cannot be divided over 2 ranks");
    EXPECT_EQ(message_of<ShapeError>([&] { reduce_scatter_all_gather_columns(x, group); }),
              "reduce_scatter_all_gather_columns: 5 columns cannot be divided over 2 ranks");
    EXPECT_EQ(message_of<ShapeError>([&] { rows_to_columns(x, group); }),
              "rows_to_columns: 5 columns cannot be divided over 2 ranks");
    EXPECT_EQ(message_of<ShapeError>([&] { columns_to_rows(x, group); }),
              "columns_to_rows: 3 rows cannot be divided over 2 ranks");
  });
}

}  // namespace
}  // namespace ty::test
