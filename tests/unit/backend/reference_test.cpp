// The oracle itself against numbers worked out by hand or by another formula.
#include <gtest/gtest.h>

#include <cmath>

#include "core/backend/formulas.h"
#include "tests/unit/backend/arrays.h"

namespace ty::test {
namespace {

constexpr DType kDouble = DType::f64;

class Reference : public ::testing::Test {
 protected:
  std::unique_ptr<Backend> backend = make_reference_backend();
};

TEST_F(Reference, CopyConvertsAndFollowsStrides) {
  const Array x(DType::f32, {2, 3}, {1, 2, 3, 4, 5, 6.0009765625});
  const Array y(DType::bf16, {3, 2});
  backend->copy(y, x.view().transpose(0, 1));
  EXPECT_EQ(y.values(), (std::vector<double>{1, 4, 2, 5, 3, 6}));
}

TEST_F(Reference, AxpbyWithBetaZeroIgnoresWhatWasThere) {
  const Array x(kDouble, {2}, {1, 2});
  const Array y(kDouble, {2});
  backend->axpby(y, 3, x, 0);
  EXPECT_EQ(y.values(), (std::vector<double>{3, 6}));
  backend->axpby(y, 1, x, 2);
  EXPECT_EQ(y.values(), (std::vector<double>{7, 14}));
}

TEST_F(Reference, UnaryKnowsItsValuesAndSlopes) {
  const Array x(kDouble, {3}, {-1, 0, 2});
  const Array one(kDouble, {3}, {1, 1, 1});
  const Array y(kDouble, {3});
  backend->unary(UnaryOp::gelu_erf, y, x);
  EXPECT_NEAR(y.values()[0], -0.15865525393145707, 1e-15);
  EXPECT_NEAR(y.values()[2], 1.9544997361036416, 1e-15);
  backend->unary(UnaryOp::gelu_tanh, y, x);
  EXPECT_NEAR(y.values()[0], -0.15880800939172324, 1e-14);
  EXPECT_NEAR(y.values()[2], 1.954597694087775, 1e-14);
  backend->unary(UnaryOp::silu, y, x);
  EXPECT_NEAR(y.values()[0], -0.2689414213699951, 1e-15);
  EXPECT_NEAR(y.values()[2], 1.7615941559557646, 1e-15);
  backend->unary(UnaryOp::quick_gelu, y, x);
  EXPECT_NEAR(y.values()[0], -0.1542042340671787, 1e-15);
  EXPECT_NEAR(y.values()[2], 1.9356586231442083, 1e-15);
  backend->unary(UnaryOp::tanh, y, x);
  EXPECT_NEAR(y.values()[0], -0.7615941559557649, 1e-15);
  for (UnaryOp op : {UnaryOp::relu, UnaryOp::gelu_tanh, UnaryOp::gelu_erf, UnaryOp::silu,
                     UnaryOp::quick_gelu, UnaryOp::tanh}) {
    for (double at : {-3.0, -0.4, 0.7, 2.5}) {
      const double h = 1e-6;
      const double slope = (formulas::unary(op, at + h) - formulas::unary(op, at - h)) / (2 * h);
      EXPECT_NEAR(formulas::unary_derivative(op, at), slope, 1e-9);
    }
  }
  backend->unary_grad(UnaryOp::relu, y, x, one);
  EXPECT_EQ(y.values(), (std::vector<double>{0, 0, 1}));
}

TEST_F(Reference, BinaryExpandsItsOperands) {
  const Array a(kDouble, {2, 3}, {1, 2, 3, 4, 5, 6});
  const Array b(kDouble, {3}, {10, 20, 30});
  const Array c(kDouble, {2, 1}, {2, 4});
  const Array y(kDouble, {2, 3});
  backend->binary(BinaryOp::add, y, a, b);
  EXPECT_EQ(y.values(), (std::vector<double>{11, 22, 33, 14, 25, 36}));
  backend->binary(BinaryOp::div, y, b, c);
  EXPECT_EQ(y.values(), (std::vector<double>{5, 10, 15, 2.5, 5, 7.5}));
}

TEST_F(Reference, ReduceSumAddsOverDimensionsOfSizeOne) {
  const Array x(DType::f32, {2, 3, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  const Array middle(kDouble, {2, 1, 2});
  backend->reduce_sum(middle, x, 0);
  EXPECT_EQ(middle.values(), (std::vector<double>{9, 12, 27, 30}));
  backend->reduce_sum(middle, x, -1);
  EXPECT_EQ(middle.values(), (std::vector<double>{0, 0, 0, 0}));
  const Array all(DType::f32, {1, 1, 1});
  backend->reduce_sum(all, x, 0);
  EXPECT_EQ(all.values()[0], 78);
}

TEST_F(Reference, DropoutKeepsTheMeanAndDependsOnTheSampleOnly) {
  const DropoutMask mask{0.3, RandomStream(1, site_id("drop")), 5};
  const Array y(kDouble, {40, 100});
  Array ones(kDouble, {40, 100});
  ones.set_all(1);
  backend->dropout(y, ones, mask);
  double sum = 0;
  for (double v : y.values()) {
    EXPECT_TRUE(v == 0 || std::abs(v - 1 / 0.7) < 1e-12);
    sum += v;
  }
  EXPECT_NEAR(sum / 4000, 1.0, 0.04);
  const Array late(kDouble, {38, 100});
  backend->dropout(late, ones.view().slice(0, 2, 38), {0.3, mask.stream, 7});
  const auto all = y.values();
  EXPECT_EQ(late.values(), std::vector<double>(all.begin() + 200, all.end()));
}

TEST_F(Reference, GemmMultipliesTransposedAndBroadcastOperands) {
  const Array a(kDouble, {2, 2, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  const Array b(kDouble, {2, 3}, {1, 0, 2, 0, 1, 1});
  const Array c(kDouble, {2, 2, 2});
  backend->gemm(c, a, b.view().transpose(0, 1), {});
  EXPECT_EQ(c.values(), (std::vector<double>{7, 5, 16, 11, 25, 17, 34, 23}));
  backend->gemm(c, a, b.view().transpose(0, 1), {.alpha = 2, .beta = -2});
  EXPECT_EQ(c.values(), (std::vector<double>(8, 0.0)));
}

TEST_F(Reference, LayerNormGivesRowsOfMeanBetaAndDeviationGamma) {
  const Array x(kDouble, {1, 4}, {1, 3, 5, 7});
  const Array gamma(kDouble, {4}, {1, 1, 1, 2}), beta(kDouble, {4}, {0, 0, 0, 1});
  const Array y(kDouble, {1, 4}), mean(kDouble, {1}), rstd(kDouble, {1});
  backend->layer_norm(y, mean, rstd, x, gamma, beta, 0);
  const double s = 1 / std::sqrt(5.0);
  EXPECT_DOUBLE_EQ(mean.values()[0], 4);
  EXPECT_DOUBLE_EQ(rstd.values()[0], s);
  EXPECT_NEAR(y.values()[0], -3 * s, 1e-15);
  EXPECT_NEAR(y.values()[3], 6 * s + 1, 1e-15);
}

TEST_F(Reference, LayerNormGradMatchesFiniteDifferences) {
  const Array x = Array::random(kDouble, {3, 5}, 1), gamma = Array::random(kDouble, {5}, 2);
  const Array beta = Array::random(kDouble, {5}, 3), dy = Array::random(kDouble, {3, 5}, 4);
  const Array y(kDouble, {3, 5}), mean(kDouble, {3}), rstd(kDouble, {3});
  const auto objective = [&](const Array& at, const Array& scale) {
    backend->layer_norm(y, mean, rstd, at, scale, beta, 1e-5);
    double sum = 0;
    for (std::size_t i = 0; i < 15; ++i) sum += y.values()[i] * dy.values()[i];
    return sum;
  };
  objective(x, gamma);
  const Array dx(kDouble, {3, 5}), dgamma(kDouble, {5}), dbeta(kDouble, {5});
  backend->layer_norm_grad(dx, dgamma, dbeta, dy, x, mean, rstd, gamma);
  const double h = 1e-6;
  const auto moved = [&](const Array& from, std::size_t i, double by) {
    auto values = from.values();
    values[i] += by;
    Array result(from);
    result.set(values);
    return result;
  };
  for (std::size_t i = 0; i < 15; ++i) {
    const double slope =
        (objective(moved(x, i, h), gamma) - objective(moved(x, i, -h), gamma)) / (2 * h);
    EXPECT_NEAR(dx.values()[i], slope, 1e-8);
  }
  for (std::size_t c = 0; c < 5; ++c) {
    const double slope =
        (objective(x, moved(gamma, c, h)) - objective(x, moved(gamma, c, -h))) / (2 * h);
    EXPECT_NEAR(dgamma.values()[c], slope, 1e-8);
    EXPECT_NEAR(dbeta.values()[c], dy.values()[c] + dy.values()[5 + c] + dy.values()[10 + c],
                1e-14);
  }
}

TEST_F(Reference, AttentionOfEqualScoresAveragesTheVisibleValues) {
  const Array q(kDouble, {1, 1, 2, 1}, {0, 0}), k(kDouble, {1, 1, 3, 1}, {1, 2, 3});
  const Array v(kDouble, {1, 1, 3, 1}, {3, 6, 12});
  const Array y(kDouble, {1, 1, 2, 1}), lse(kDouble, {1, 1, 2});
  backend->attention(y, lse, q, k, v, {.scale = 1, .causal = true, .dropout = {}});
  EXPECT_NEAR(y.values()[0], 4.5, 1e-14);  // query 0 of 2 sees 2 of 3 keys
  EXPECT_NEAR(y.values()[1], 7, 1e-14);
  EXPECT_NEAR(lse.values()[0], std::log(2.0), 1e-15);
}

TEST_F(Reference, AttentionGradMatchesFiniteDifferences) {
  const AttentionOptions options{
      .scale = 0.7, .causal = true, .dropout = {0.25, RandomStream(3, site_id("a")), 0}};
  const Shape query{2, 2, 3, 2}, key{2, 2, 4, 2};
  const Array q = Array::random(kDouble, query, 1), k = Array::random(kDouble, key, 2);
  const Array v = Array::random(kDouble, key, 3), dy = Array::random(kDouble, query, 4);
  const Array y(kDouble, query), lse(kDouble, {2, 2, 3});
  const auto objective = [&](const Array& q1, const Array& k1, const Array& v1) {
    backend->attention(y, lse, q1, k1, v1, options);
    double sum = 0;
    const auto out = y.values(), weights = dy.values();
    for (std::size_t i = 0; i < out.size(); ++i) sum += out[i] * weights[i];
    return sum;
  };
  objective(q, k, v);
  const Array dq(kDouble, query), dk(kDouble, key), dv(kDouble, key);
  backend->attention_grad(dq, dk, dv, dy, y, lse, q, k, v, options);
  const auto slope = [&](const Array& of, std::size_t i, auto&& at) {
    const double h = 1e-6;
    auto values = of.values();
    Array moved(of);
    values[i] += h;
    moved.set(values);
    const double above = at(moved);
    values[i] -= 2 * h;
    moved.set(values);
    return (above - at(moved)) / (2 * h);
  };
  for (std::size_t i = 0; i < 24; ++i) {
    EXPECT_NEAR(dq.values()[i], slope(q, i, [&](const Array& m) { return objective(m, k, v); }),
                1e-8);
  }
  for (std::size_t i = 0; i < 32; ++i) {
    EXPECT_NEAR(dk.values()[i], slope(k, i, [&](const Array& m) { return objective(q, m, v); }),
                1e-8);
    EXPECT_NEAR(dv.values()[i], slope(v, i, [&](const Array& m) { return objective(q, k, m); }),
                1e-8);
  }
}

TEST_F(Reference, CrossEntropyOfEqualLogitsIsTheLogarithmOfTheirNumber) {
  const Array logits(kDouble, {2, 4}, {1, 1, 1, 1, 9, 9, 9, 9});
  const Array targets(DType::i32, {2}, {2, -1});
  const Array loss(kDouble, {2}), lse(kDouble, {2}), dloss(kDouble, {2}, {2, 2});
  backend->cross_entropy(loss, lse, logits, targets);
  EXPECT_NEAR(loss.values()[0], std::log(4.0), 1e-15);
  EXPECT_EQ(loss.values()[1], 0);
  EXPECT_NEAR(lse.values()[1], 9 + std::log(4.0), 1e-14);
  backend->cross_entropy_grad(logits, logits, lse, targets, dloss);
  const std::vector<double> expected = {0.5, 0.5, -1.5, 0.5, 0, 0, 0, 0};
  for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR(logits.values()[i], expected[i], 1e-14);
}

TEST_F(Reference, ScatterAddsWhatGatherRead) {
  const Array table(kDouble, {3, 2}, {1, 2, 3, 4, 5, 6});
  const Array ids(DType::i32, {3}, {2, 0, 2});
  const Array y(kDouble, {3, 2});
  backend->gather_rows(y, table, ids);
  EXPECT_EQ(y.values(), (std::vector<double>{5, 6, 1, 2, 5, 6}));
  backend->scatter_add_rows(table, y, ids);
  EXPECT_EQ(table.values(), (std::vector<double>{2, 4, 3, 4, 15, 18}));
}

TEST_F(Reference, FirstAdamWStepMovesByTheLearningRateAgainstTheSign) {
  const Array w(kDouble, {2}, {1, -2}), m(kDouble, {2}, {0, 0}), v(kDouble, {2}, {0, 0});
  const Array g(DType::bf16, {2}, {4, -0.5}), low(DType::bf16, {2});
  backend->adamw(w, m, v, low, g, {.lr = 0.1, .eps = 0, .weight_decay = 0.5});
  EXPECT_NEAR(w.values()[0], 1 - 0.1 - 0.05, 1e-12);
  EXPECT_NEAR(w.values()[1], -2 + 0.1 + 0.1, 1e-12);
  EXPECT_NEAR(low.values()[0], 0.85, 0.004);
  EXPECT_NEAR(m.values()[0], 0.4, 1e-15);
  EXPECT_NEAR(v.values()[0], 0.016, 1e-15);
}

TEST_F(Reference, SgdKeepsVelocityOnlyWithMomentum) {
  const Array w(kDouble, {1}, {1}), v(kDouble, {1}, {2}), g(kDouble, {1}, {0.5});
  backend->sgd(w, v, View{}, g, {.lr = 0.1, .momentum = 0.5, .weight_decay = 0.1});
  EXPECT_NEAR(v.values()[0], 1.6, 1e-15);
  EXPECT_NEAR(w.values()[0], 0.84, 1e-15);
  backend->sgd(w, View{}, View{}, g, {.lr = 1, .gradient_scale = 0.5});
  EXPECT_NEAR(w.values()[0], 0.59, 1e-15);
}

TEST_F(Reference, RandomNormalAndSumSquares) {
  const RandomStream stream(1, site_id("w"));
  const Array x(kDouble, {2, 3});
  backend->random_normal(x, stream, 7, 10, 0.5);
  EXPECT_EQ(x.values()[2], 0.5 * normal(stream, 0, 9));
  EXPECT_EQ(x.values()[4], 0.5 * normal(stream, 0, 18));
  const Array a(DType::bf16, {3}, {1, 2, -3});
  const Array sum(kDouble, {1});
  backend->sum_squares(sum, a);
  EXPECT_EQ(sum.values()[0], 14);
}

TEST(Rounding, FindsTheNeighboursOfANumber) {
  EXPECT_EQ(float(formulas::round_stochastic<bf16>(1.0f + 1.0f / 512, uniform_float(0x3fffffffu))),
            1.0f + 1.0f / 128);
  EXPECT_EQ(float(formulas::round_stochastic<bf16>(1.0f + 1.0f / 512, uniform_float(0x41000000u))),
            1.0f);
  EXPECT_EQ(float(formulas::round_stochastic<bf16>(-1.0f - 3.0f / 512, uniform_float(0x3fffffffu))),
            -1.0f);
  EXPECT_EQ(float(formulas::round_stochastic<bf16>(-1.0f - 3.0f / 512, uniform_float(0x41000000u))),
            -1.0f - 1.0f / 128);
  EXPECT_EQ(float(formulas::round_stochastic<f16>(0x1p-26f, uniform_float(0))), 0x1p-24f);
  EXPECT_EQ(float(formulas::round_stochastic<f16>(-0x1p-26f, uniform_float(0xffffffffu))), 0.0f);
  EXPECT_EQ(float(formulas::round_stochastic<f16>(1.5f, uniform_float(0))), 1.5f);
  EXPECT_EQ(float(formulas::round_stochastic<f16>(1e9f, uniform_float(0))), INFINITY);
  EXPECT_TRUE(std::isnan(float(formulas::round_stochastic<bf16>(NAN, uniform_float(0)))));
}

}  // namespace
}  // namespace ty::test
