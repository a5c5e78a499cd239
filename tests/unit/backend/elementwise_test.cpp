#include "tests/unit/backend/compare.h"

namespace ty::test {
namespace {

using Elementwise = Kernels;
TY_FOR_ALL_FLOATS(Elementwise);

constexpr UnaryOp kUnary[] = {UnaryOp::relu, UnaryOp::gelu_tanh,  UnaryOp::gelu_erf,
                              UnaryOp::silu, UnaryOp::quick_gelu, UnaryOp::tanh};
constexpr BinaryOp kBinary[] = {BinaryOp::add, BinaryOp::sub, BinaryOp::mul, BinaryOp::div};
const Shape kShapes[] = {{1}, {3}, {17}, {65}, {1029}, {3, 5}, {2, 3, 17}, {7, 1000}, {40000}};

TEST_P(Elementwise, CopyConvertsBetweenAllFloatTypes) {
  for (DType to : {DType::f32, DType::f64, DType::bf16, DType::f16}) {
    for (const Shape& shape : kShapes) {
      const Array x = random(shape, 1, -3, 3);
      expect_like_reference(
          [&](Backend& b) {
            const Array y(to, shape);
            b.copy(y, x);
            return Outputs{y};
          },
          0);
    }
  }
}

TEST_P(Elementwise, CopyKeepsSpecialValues) {
  const double inf = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Array x(dtype(), {19},
                {inf, -inf, nan, 0, -0.0, 1e30, -1e30, 1e-7, 1e-9, 65504, 65519.99, 65520, 3e-39,
                 1e-45, 1.5, -2.5, 3.4e38, 5.96e-8, 2.98e-8});
  for (DType to : {DType::f32, DType::f64, DType::bf16, DType::f16}) {
    expect_like_reference(
        [&](Backend& b) {
          const Array y(to, {19});
          b.copy(y, x);
          return Outputs{y};
        },
        0);
  }
}

TEST_P(Elementwise, CopyFollowsStrides) {
  const Array x = random({5, 70, 9}, 1);
  for (DType to : {dtype(), DType::f32, DType::bf16}) {
    expect_like_reference(
        [&](Backend& b) {
          const Array turned(to, {9, 70, 5});
          b.copy(turned, x.view().transpose(0, 2));
          const Array inner(to, {5, 9, 70});
          b.copy(inner, x.view().transpose(1, 2));
          const Array outer(to, {70, 5, 9});
          b.copy(outer, x.view().transpose(0, 1));
          const Array sliced(to, {5, 3, 4});
          b.copy(sliced, x.view().slice(1, 7, 3).slice(2, 2, 4));
          const Array repeated(to, {4, 5, 70, 9});
          b.copy(repeated, x.view().expand({4, 5, 70, 9}));
          return Outputs{turned, inner, outer, sliced, repeated};
        },
        0);
  }
}

TEST_P(Elementwise, FillWritesOnlyTheView) {
  expect_like_reference(
      [&](Backend& b) {
        const Array y = random({6, 700}, 1);
        b.fill(y.view().slice(1, 3, 600), 1.25);
        b.fill(y.view().slice(0, 2, 2), -3);
        return Outputs{y};
      },
      0);
}

TEST_P(Elementwise, AxpbyMixesTypesAndIgnoresTheOutputWithoutBeta) {
  for (DType from : {DType::f32, DType::f64, DType::bf16, DType::f16}) {
    for (const Shape& shape : kShapes) {
      const Array x = Array::random(from, shape, 1);
      expect_like_reference([&](Backend& b) {
        const Array fresh(dtype(), shape);
        b.axpby(fresh, 1.5, x, 0);
        const Array added = random(shape, 2);
        b.axpby(added, -0.5, x, 2);
        const Array twice = random(shape, 3);
        b.axpby(twice, 0.25, twice, 1);
        return Outputs{fresh, added, twice};
      });
    }
  }
}

TEST_P(Elementwise, UnaryFollowsItsFormulaFarOut) {
  for (UnaryOp op : kUnary) {
    for (const Shape& shape : kShapes) {
      for (double reach : {1.0, 6.0, 40.0, 3000.0}) {
        const Array x = random(shape, 1, -reach, reach);
        const Array dy = random(shape, 2);
        expect_like_reference([&](Backend& b) {
          const Array y(dtype(), shape), dx(dtype(), shape);
          b.unary(op, y, x);
          b.unary_grad(op, dx, x, dy);
          const Array in_place(x), gradient(dy);
          b.unary(op, in_place, in_place);
          b.unary_grad(op, gradient, x, gradient);
          return Outputs{y, dx, in_place, gradient};
        });
      }
    }
  }
}

TEST_P(Elementwise, UnaryHidesNoNaN) {
  Array x = random({33}, 1);
  std::vector<double> values = x.values();
  values[5] = values[32] = std::numeric_limits<double>::quiet_NaN();
  x.set(values);
  for (UnaryOp op : kUnary) {
    const Array y(dtype(), {33});
    tested_backend()->unary(op, y, x);
    EXPECT_TRUE(std::isnan(y.values()[5]) && std::isnan(y.values()[32]));
  }
}

TEST_P(Elementwise, UnaryFollowsStrides) {
  const Array x = random({30, 70}, 1, -3, 3), dy = random({70, 30}, 2);
  expect_like_reference([&](Backend& b) {
    const Array y(dtype(), {70, 30}), dx(dtype(), {70, 30}), part(dtype(), {30, 5});
    b.unary(UnaryOp::gelu_tanh, y, x.view().transpose(0, 1));
    b.unary_grad(UnaryOp::gelu_tanh, dx, x.view().transpose(0, 1), dy);
    b.unary(UnaryOp::gelu_erf, part, x.view().slice(1, 64, 5));
    return Outputs{y, dx, part};
  });
}

TEST_P(Elementwise, BinaryExpandsEitherOperand) {
  struct Case {
    Shape y, a, b;
  };
  const Case cases[] = {{{1}, {1}, {1}},
                        {{1029}, {1029}, {1029}},
                        {{33, 65}, {33, 65}, {65}},
                        {{33, 65}, {65}, {33, 65}},
                        {{33, 65}, {33, 1}, {33, 65}},
                        {{33, 65}, {33, 65}, {33, 1}},
                        {{33, 65}, {33, 1}, {1, 65}},
                        {{33, 65}, {1, 65}, {33, 1}},
                        {{33, 65}, {1}, {1}},
                        {{4, 3, 1025}, {4, 1, 1025}, {3, 1}},
                        {{40000}, {1}, {40000}}};
  for (BinaryOp op : kBinary) {
    for (const Case& c : cases) {
      const Array a = random(c.a, 1), right = random(c.b, 2, 0.5, 2);
      expect_like_reference([&](Backend& b) {
        const Array y(dtype(), c.y);
        b.binary(op, y, a, right);
        Outputs outputs{y};
        if (c.a == c.y) {
          const Array in_place(a);
          b.binary(op, in_place, in_place, right);
          outputs.push_back(in_place);
        }
        return outputs;
      });
    }
  }
}

TEST_P(Elementwise, ReduceSumAddsOverAnyDimensions) {
  struct Case {
    Shape x, y;
  };
  const Case cases[] = {
      {{1, 1}, {1, 1}},         {{300, 1029}, {1, 1029}},     {{300, 129}, {300, 1}},
      {{300, 1029}, {1, 1}},    {{3, 65, 17}, {3, 1, 17}},    {{3, 65, 17}, {1, 65, 1}},
      {{3, 65, 17}, {3, 1, 1}}, {{2, 3, 4, 5}, {1, 3, 1, 5}}, {{7, 9}, {7, 9}}};
  const DType wide = dtype() == DType::f64 ? DType::f64 : DType::f32;
  for (const Case& c : cases) {
    const Array x = random(c.x, 1);
    Array weights = random(c.y, 2);
    for (DType to : {dtype(), wide, DType::f64}) {
      expect_like_reference(
          [&](Backend& b) {
            const Array fresh(to, c.y);
            b.reduce_sum(fresh, x, 0);
            const Array added = Array::random(to, c.y, 3);
            b.reduce_sum(added, x, 0.5);
            return Outputs{fresh, added};
          },
          to == DType::f64 && dtype() != DType::f64 ? 1e9 : 20);
    }
  }
}

TEST_P(Elementwise, ReduceSumFollowsStrides) {
  const Array x = random({65, 300}, 1);
  expect_like_reference(
      [&](Backend& b) {
        const Array columns(dtype(), {1, 65}), rows(dtype(), {300, 1});
        b.reduce_sum(columns, x.view().transpose(0, 1), 0);
        b.reduce_sum(rows, x.view().transpose(0, 1), 0);
        const Array part(dtype(), {1, 100});
        b.reduce_sum(part, x.view().slice(1, 50, 100), 0);
        return Outputs{columns, rows, part};
      },
      20);
}

TEST_P(Elementwise, DropoutDropsWhatTheReferenceDrops) {
  for (const Shape& shape : kShapes) {
    for (double p : {0.0, 0.1, 0.5, 1.0}) {
      const DropoutMask mask{p, RandomStream(1, site_id("drop"), 2), 13};
      const Array x = random(shape, 1);
      expect_like_reference([&](Backend& b) {
        const Array y(dtype(), shape), in_place(x);
        b.dropout(y, x, mask);
        b.dropout(in_place, in_place, mask);
        return Outputs{y, in_place};
      });
    }
  }
}

TEST_P(Elementwise, DropoutOfColumnsDrawsWhatTheWholeDraws) {
  constexpr std::int64_t kRows = 6, kWidth = 11, kPerSample = 3;
  const RandomStream stream(1, site_id("drop"), 2);
  const Array x = random({kRows, kWidth}, 1, 1, 2);
  for (const auto& backend : {make_reference_backend(), tested_backend()}) {
    const Array whole(dtype(), {kRows, kWidth});
    backend->dropout(whole, x, {0.4, stream, 9, kPerSample});
    for (const auto& [first, count] : {std::pair<std::int64_t, std::int64_t>(0, 4), {4, 7}}) {
      const Array own(dtype(), {kRows, count}), y(dtype(), {kRows, count});
      const Array want(dtype(), {kRows, count});
      backend->copy(own, x.view().slice(1, first, count));
      backend->copy(want, whole.view().slice(1, first, count));
      backend->dropout(y, own, {0.4, stream, 9, kPerSample, first, kWidth});
      EXPECT_EQ(y.values(), want.values());
    }
  }
}

// Five samples of 3 rows of 7 elements: by samples, by rows, and any run of rows alone.
TEST_P(Elementwise, DropoutOfRowsDrawsWhatTheWholeDraws) {
  constexpr std::int64_t kSamples = 5, kRows = 3, kWidth = 7, kFirst = 11;
  const RandomStream stream(1, site_id("drop"), 2);
  const Array x = random({kSamples * kRows, kWidth}, 1, 1, 2);
  for (const auto& backend : {make_reference_backend(), tested_backend()}) {
    const Array whole(dtype(), {kSamples, kRows * kWidth});
    backend->dropout(whole, x.view().reshape(whole.view().shape), {0.4, stream, kFirst});
    const std::vector<double> want = whole.values();
    for (std::int64_t s = 0, i = 0; s < kSamples; ++s) {
      for (std::uint64_t e = 0; e < kRows * kWidth; ++e, ++i) {
        const float u = uniform_float(stream.word(static_cast<std::uint64_t>(kFirst + s), e));
        ASSERT_EQ(want[static_cast<std::size_t>(i)] == 0.0, static_cast<double>(u) < 0.4);
      }
    }
    for (std::int64_t first = 0; first < kSamples * kRows; ++first) {
      for (std::int64_t rows = 1; first + rows <= kSamples * kRows; rows += 4) {
        const Array part(dtype(), {rows, kWidth});
        backend->dropout(part, x.view().slice(0, first, rows),
                         {0.4, stream, kFirst * kRows + first, kRows});
        const auto begin = want.begin() + first * kWidth;
        ASSERT_EQ(part.values(), std::vector<double>(begin, begin + rows * kWidth))
            << rows << " rows from " << first;
      }
    }
  }
}

TEST_P(Elementwise, RandomNormalGivesTheNumbersOfItsStream) {
  const RandomStream stream(5, site_id("weights"));
  for (std::int64_t first : {0, 1, 2, 3, 1000003}) {
    for (std::int64_t n : {1, 2, 5, 1029}) {
      for (double std : {1.0, 0.02}) {
        const auto tested = tested_backend();
        const Array y(dtype(), {1, n});
        tested->random_normal(y, stream, first, n, std);
        std::vector<double> values;
        for (std::int64_t i = 0; i < n; ++i) {
          values.push_back(std * normal(stream, 0, static_cast<std::uint64_t>(first + i)));
        }
        Array expected(dtype(), {n});
        expected.set(values);
        ASSERT_EQ(y.values(), expected.values());
      }
    }
  }
  expect_like_reference(
      [&](Backend& b) {
        const Array y(dtype(), {70, 1029});
        b.random_normal(y, stream, 6, 1029, 1);
        const Array turned(dtype(), {30, 7});
        b.random_normal(turned.view().transpose(0, 1), stream, 0, 30, 1);
        const Array part(dtype(), {9, 2051});  // of rows that are 4000 apart
        b.random_normal(part, stream, 7, 4000, 1);
        return Outputs{y, turned, part};
      },
      0);
}

}  // namespace
}  // namespace ty::test
