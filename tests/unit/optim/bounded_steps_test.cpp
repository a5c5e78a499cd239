#include "optim/bounded_steps.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "core/linalg/svd.h"
#include "optim/optimizer.h"
#include "tests/support/matrices.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

constexpr std::int64_t kIn = 24, kRank = 6, kOut = 40;
constexpr double kRate = 0.2;

Init factor(int index, std::int64_t left, std::int64_t right) {
  Init init = Init::normal(0.3);
  init.chain = {index, left, right};
  return init;
}

// A pair, what is none, and three cores.
void declare_layers(ParameterStore& store) {
  store.declare("bias", {5}, Init::constant(0.5));
  store.declare("svd.a", {kIn, kRank}, factor(0, 1, kRank));
  store.declare("svd.b", {kRank, kOut}, factor(1, kRank, 1));
  store.declare("dense", {4, 4}, Init::normal(0.3));
  store.declare("ttm.core1", {1, 2, 3, 4}, factor(0, 1, 4));
  store.declare("ttm.core2", {4, 3, 2, 1}, factor(1, 4, 1));
}

Matrix matrix_of(const Tensor& x) {
  Matrix m(x.dim(0), x.dim(1));
  m.data = doubles(x);
  return m;
}

struct Stepping {
  ParameterStore store;
  std::unique_ptr<FlatParameters> flat;
  std::unique_ptr<Optimizer> optimizer;

  Matrix value(std::size_t i) const { return matrix_of(store.all()[i].value.detach()); }
  Matrix product() const { return multiply(value(1), value(2)); }
};

class BoundedStepsTest : public testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = make_cpu_backend();

  void begin(Stepping& s, bool is_bounded, const AdamW& options = {.beta1 = 0.9},
             FlatOptions dtypes = {}, int parts = 1, bool is_sgd = false) {
    declare_layers(s.store);
    s.flat = std::make_unique<FlatParameters>(s.store, plan_flat_layout(s.store, 1 << 20, parts),
                                              *backend_, dtypes);
    s.flat->initialise(3);
    const std::int64_t part = s.flat->layout().trained / parts;
    std::vector<Range> ranges;
    for (int i = 0; i < parts; ++i) ranges.push_back({i * part, part});
    const auto options_of = [&](const Parameter& p) {
      return UpdateOptions{.is_bounded = is_bounded && is_factor_of_pair(p)};
    };
    const auto pieces = pieces_in(s.flat->layout(), ranges);
    s.optimizer = is_sgd ? make_sgd(*s.flat, pieces, options_of, {})
                         : make_adamw(*s.flat, pieces, options_of, options);
    s.optimizer->bound_steps(std::make_unique<BoundedSteps>(s.store, is_factor_of_pair));
  }
  // Gradients whose singular values differ by orders of magnitude, another one for each `name`.
  void set_gradients(Stepping& s, const char* name, double scale = 1.0) {
    const Tensor numbers = random_tensor(*backend_, {s.flat->gradients().numel()}, name);
    std::vector<double> values = doubles(numbers);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] *= scale * (i % 3 == 0 ? 10 : 0.1);
    const Tensor to = s.flat->gradients();
    backend_->copy(to.view(), Tensor::from<double>(*backend_, to.shape(), values).view());
  }
};

// Singular values of the direction, times what it was divided by, lie near 1.
TEST_F(BoundedStepsTest, DirectionsHaveEqualSingularValues) {
  Stepping s;
  begin(s, true, {}, {DType::f64, DType::f64});
  BoundedSteps bounds(s.store, is_factor_of_pair);
  bounds.begin_step();
  const double a = svd(s.value(1)).sigma.front(), b = svd(s.value(2)).sigma.front();
  const double most = std::pow(static_cast<double>(kRank), 1.0 / 16);
  for (const std::size_t i : {1, 2}) {
    const Shape shape = s.store.all()[i].shape;
    const Tensor momentum = random_tensor(*backend_, shape, "momentum");
    const Matrix direction = matrix_of(bounds.direction(i, momentum.view()));
    const Svd parts = svd(direction), wanted = svd(matrix_of(momentum));
    EXPECT_LT(parts.sigma.front() * (a + b + 1), 1.25);
    EXPECT_GT(parts.sigma.back() * (most * (a + b) + 1), 0.65);
    // The same singular vectors: U^T O V is diagonal with what O has.
    const Matrix core = multiply(multiply(transpose(wanted.u), direction), transpose(wanted.vt));
    for (std::int64_t r = 0; r < kRank; ++r) {
      for (std::int64_t c = 0; c < kRank; ++c) {
        if (r == c) continue;
        EXPECT_NEAR(core(r, c), 0.0, 1e-10);
      }
      EXPECT_GE(core(r, r), parts.sigma.back() - 1e-10);
    }
  }
}

TEST_F(BoundedStepsTest, TheProductMovesByNoMoreThanTheRate) {
  Stepping s;
  begin(s, true);
  Matrix before = s.product();
  for (int step = 1; step <= 8; ++step) {
    set_gradients(s, "gradient", step % 2 == 0 ? 1e4 : 1e-4);
    s.optimizer->step({.learning_rate = kRate, .step = step});
    const Matrix after = s.product();
    const double by = svd(subtract(after, before)).sigma.front();
    EXPECT_LT(by, 1.25 * kRate) << step;
    EXPECT_GT(by, 0.1 * kRate) << step;
    before = after;
  }
}

// Against the gradient; without one nothing moves.
TEST_F(BoundedStepsTest, GoesDownhill) {
  Stepping s;
  begin(s, true);
  const Matrix first = s.value(1);
  set_gradients(s, "gradient", 0.0);
  s.optimizer->step({.learning_rate = kRate, .step = 1});
  EXPECT_EQ(s.value(1).data, first.data);
  set_gradients(s, "gradient");
  const Piece a = pieces_in(s.flat->layout(), {{0, s.flat->layout().trained}}).at(1);
  const std::vector<double> gradient =
      doubles(slice(s.flat->gradients(), {a.flat_first, a.inside.count}));
  s.optimizer->step({.learning_rate = kRate, .step = 2});
  double slope = 0;
  for (std::size_t i = 0; i < first.data.size(); ++i) {
    slope += (s.value(1).data[i] - first.data[i]) * gradient[i];
  }
  EXPECT_LT(slope, 0.0);
}

// exp_avg keeps what earlier gradients said; the other parameters are AdamW's.
TEST_F(BoundedStepsTest, FollowsTheMomentumAndLeavesOthersToTheOptimizer) {
  Stepping bounded, free, forgetful;
  begin(bounded, true);
  begin(free, false);
  begin(forgetful, true, {.beta1 = 0.0});
  for (Stepping* s : {&bounded, &free, &forgetful}) {
    set_gradients(*s, "one", 5.0);
    s->optimizer->step({.learning_rate = 0.0, .step = 1});
    set_gradients(*s, "two");
    s->optimizer->step({.learning_rate = kRate, .step = 2});
  }
  const auto weights = [](const Stepping& s, std::size_t i) {
    return doubles(s.flat->weight_of(i));
  };
  for (const std::size_t other : {0, 3, 4, 5}) {
    EXPECT_EQ(weights(bounded, other), weights(free, other)) << other;
  }
  EXPECT_NE(weights(bounded, 1), weights(free, 1));
  EXPECT_NE(weights(bounded, 1), weights(forgetful, 1));
}

// What is free holds NaN, which no step may read.
TEST_F(BoundedStepsTest, OfPlainSgdFollowTheGradientAlone) {
  Stepping plain, forgetful;
  begin(plain, true, {}, {}, 1, true);
  begin(forgetful, true, {.beta1 = 0.0});
  for (Stepping* s : {&plain, &forgetful}) {
    for (const char* gradient : {"one", "two"}) {
      set_gradients(*s, gradient);
      {
        std::vector<Tensor> used;
        for (const std::int64_t size : {kIn * kRank, kRank * kOut}) {
          used.push_back(Tensor::full(*backend_, {size}, DType::f32, std::nan("")));
        }
      }
      s->optimizer->step({.learning_rate = kRate, .step = 1});
    }
  }
  for (const std::size_t i : {1, 2}) EXPECT_EQ(plain.value(i).data, forgetful.value(i).data);
}

TEST_F(BoundedStepsTest, WantsWholeMatrices) {
  Stepping s;
  begin(s, true, {}, {}, 7);
  set_gradients(s, "gradient");
  EXPECT_THROW(s.optimizer->step({.learning_rate = kRate, .step = 1}), InternalError);
}

}  // namespace
}  // namespace ty::test
