// Shapes and layouts at which kernels of a GPU take other ways than those of a CPU: packs and their
// edges, tiles of a transposed copy, chunks of sums, sorted ids.
#include "tests/unit/backend/compare.h"

namespace ty::test {
namespace {

using Shapes = Kernels;
TY_FOR_ALL_FLOATS(Shapes);

TEST_P(Shapes, ElementsAtOddAddressesAndWidths) {
  for (std::int64_t n : {1, 17, 64, 1000, 1024}) {
    const Array x = random({n + 3}, 1, -3, 3), dy = random({n + 3}, 2);
    for (std::int64_t first : {0, 1, 3}) {
      expect_like_reference([&](Backend& b) {
        const Array y(random({n + 3}, 3));
        const auto part = [&](const Array& a) { return a.view().slice(0, first, n); };
        b.unary(UnaryOp::gelu_tanh, part(y), part(x));
        b.unary_grad(UnaryOp::gelu_erf, part(y), part(y), part(dy));
        b.axpby(part(y), 0.5, part(x), 2);
        b.dropout(part(y), part(y), {0.25, RandomStream(1, 2), 5});
        return Outputs{y};
      });
    }
  }
}

TEST_P(Shapes, BiasesAndScalarsAreRepeatedInPacks) {
  for (std::int64_t width : {1, 8, 17, 64, 1000}) {
    const Array x = random({33, width}, 1), bias = random({width}, 2), one = random({1, 1}, 3);
    const Array column = random({33, 1}, 4);
    expect_like_reference([&](Backend& b) {
      const Array y(dtype(), {33, width}), z(dtype(), {33, width}), w(dtype(), {33, width});
      b.binary(BinaryOp::add, y, x, bias);
      b.binary(BinaryOp::mul, z, one, x);
      b.binary(BinaryOp::sub, w, x, column);
      return Outputs{y, z, w};
    });
  }
}

TEST_P(Shapes, TransposedCopiesGoThroughTiles) {
  struct Case {
    Shape x;
    std::vector<int> order;
  };
  const Case cases[] = {{{1000, 17}, {1, 0}},
                        {{33, 65}, {1, 0}},
                        {{4, 40, 6, 33}, {0, 3, 2, 1}},
                        {{3, 5, 4, 6, 2, 7}, {0, 2, 4, 1, 3, 5}},
                        {{3, 5, 4, 6, 2, 7}, {5, 3, 1, 0, 2, 4}},
                        {{8, 12, 16}, {2, 0, 1}}};
  for (const Case& c : cases) {
    const Array x = random(c.x, 1);
    const View turned = x.view().permute(c.order);
    expect_like_reference(
        [&](Backend& b) {
          const Array y(dtype(), turned.shape), wide(DType::f64, turned.shape);
          b.copy(y, turned);
          b.copy(wide, turned);
          return Outputs{y, wide};
        },
        0);
  }
}

TEST(Copies, MoveIntegersAndConvertThem) {
  const Array x(DType::i32, {2, 3}, {1, -2, 3, 4, 5, 1e9});
  expect_like_reference(
      [&](Backend& b) {
        const Array same(DType::i32, {3, 2}), wide(DType::i64, {2, 3}), back(DType::i32, {2, 3});
        const Array filled(DType::i64, {5});
        b.copy(same, x.view().transpose(0, 1));
        b.copy(wide, x);
        b.copy(back, wide);
        b.fill(filled, -7);
        return Outputs{same, wide, back, filled};
      },
      0);
}

TEST_P(Shapes, SumsOfManyChunks) {
  struct Case {
    Shape x, y;
  };
  const Case cases[] = {{{20000, 3}, {1, 3}},
                        {{3, 40001}, {3, 1}},
                        {{40, 1, 1000}, {1, 1, 1}},
                        {{2, 500, 2, 33}, {2, 1, 2, 1}},
                        {{100, 0}, {1, 1}}};
  const DType wide = accumulator_of(dtype());
  for (const Case& c : cases) {
    const Array x = random(Shape{c.x.numel() == 0 ? Shape{100, 1} : c.x}, 1);
    const View of_x = c.x.numel() == 0 ? x.view().slice(1, 0, 0) : x.view();
    expect_like_reference(
        [&](Backend& b) {
          const Array y(wide, c.y), added = Array::random(wide, c.y, 2);
          b.reduce_sum(y, of_x, 0);
          b.reduce_sum(added, of_x, -2);
          return Outputs{y, added};
        },
        200);
  }
}

TEST_P(Shapes, NormsOfWideAndOddRows) {
  for (const Shape& shape : {Shape{3, 1000}, Shape{200, 64}, Shape{1, 4096}, Shape{300, 17}}) {
    const Shape row{shape[1]}, column{shape[0]};
    const DType wide = accumulator_of(dtype());
    const Array x = random(shape, 1, 1, 3), gamma = random(row, 2), beta = random(row, 3);
    const Array dy = random(shape, 4), mean(wide, column), rstd(wide, column), y(dtype(), shape);
    make_reference_backend()->layer_norm(y, mean, rstd, x, gamma, beta, 1e-5);
    expect_like_reference(
        [&](Backend& b) {
          const Array out(dtype(), shape), mu(wide, column), r(wide, column);
          b.layer_norm(out, mu, r, x, gamma, beta, 1e-5);
          const Array dx(dtype(), shape), dgamma(dtype(), row), dbeta(dtype(), row);
          b.layer_norm_grad(dx, dgamma, dbeta, dy, x, mean, rstd, gamma);
          return Outputs{out, mu, r, dx, dgamma, dbeta};
        },
        40);
  }
}

// More ids than a block has threads, most of them of few rows, some of other slices.
TEST_P(Shapes, ScatteredRowsOfManyIds) {
  constexpr std::int64_t kRows = 50, kIds = 1000;
  Array ids(DType::i32, {kIds});
  std::vector<double> values;
  for (std::int64_t n = 0; n < kIds; ++n) {
    values.push_back(static_cast<double>(n % 3 == 0 ? 7 : (n * n + 5) % kRows));
  }
  ids.set(values);
  for (std::int64_t width : {1, 17, 300}) {
    const Array dy = random({kIds, width}, 1);
    const DType wide = accumulator_of(dtype());
    expect_like_reference(
        [&](Backend& b) {
          const Array sums = Array::random(wide, {kRows, width}, 2);
          const Array part = Array::random(wide, {9, width}, 3);
          b.scatter_add_rows(sums, dy, ids);
          b.scatter_add_rows(part, dy, ids, {.first = 5, .whole = kRows});
          return Outputs{sums, part};
        },
        400);
  }
}

TEST_P(Shapes, GatheredRowsInPacks) {
  for (std::int64_t width : {8, 64, 100}) {
    const Array table = random({7, width}, 1);
    const Array ids(DType::i32, {5}, {6, 0, 3, 3, 1});
    expect_like_reference(
        [&](Backend& b) {
          const Array y(dtype(), {5, width}), part(dtype(), {5, width});
          b.gather_rows(y, table, ids);
          b.gather_rows(part, table.view().slice(0, 2, 3), ids, {.first = 2, .whole = 7});
          return Outputs{y, part};
        },
        0);
  }
}

}  // namespace
}  // namespace ty::test
