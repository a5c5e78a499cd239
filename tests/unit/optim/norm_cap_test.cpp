#include "optim/norm_cap.h"

#include <gtest/gtest.h>

#include <cmath>

#include "optim/optimizer.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

constexpr double kCap = 0.5;

// Two factors, of which the first is above the cap and the second below it, and what has no cap.
void declare_factors(ParameterStore& store) {
  const auto factor = [](double std) {
    Init init = Init::normal(std);
    init.rms = 1.0;
    return init;
  };
  store.declare("bias", {5}, Init::constant(7));
  store.declare("large", {6, 3}, factor(2.0));
  store.declare("small", {3, 4}, factor(0.1));
  store.declare("norm", {4}, Init::constant(7));
}

double max_norm_of(const Parameter& each) {
  return kCap * each.init.rms * std::sqrt(static_cast<double>(each.whole().numel()));
}

double norm_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double x : values) sum += x * x;
  return std::sqrt(sum);
}

struct Steps {
  std::int64_t count = 1;
  double learning_rate = 0.0;
  int parts = 1;  // of the flat buffers, each updated by itself
  bool is_capped = true;
};

class NormCapTest : public testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = make_cpu_backend();

  // The weights of each parameter after steps along a gradient of ones.
  std::vector<std::vector<double>> after(const Steps& steps, FlatOptions dtypes = {}) {
    ParameterStore store;
    declare_factors(store);
    FlatParameters flat(store, plan_flat_layout(store, 1 << 20, steps.parts), *backend_, dtypes);
    flat.initialise(3);
    backend_->fill(flat.gradients().view(), 1.0);
    const std::int64_t part = flat.layout().trained / steps.parts;
    std::vector<Range> ranges;
    for (int i = 0; i < steps.parts; ++i) ranges.push_back({i * part, part});
    const auto options = [&](const Parameter& each) {
      return UpdateOptions{.max_norm = steps.is_capped ? max_norm_of(each) : 0.0};
    };
    const auto optimizer = make_sgd(flat, pieces_in(flat.layout(), ranges), options, {});
    optimizer->cap_norms(std::make_unique<NormCap>(
        store, [](const Parameter& each) { return each.init.rms > 0; },
        [](const View&) { FAIL() << "no rank divides a factor"; }));
    for (std::int64_t step = 1; step <= steps.count; ++step) {
      optimizer->step({.learning_rate = steps.learning_rate, .step = step, .seed = 2});
    }
    std::vector<std::vector<double>> weights;
    for (std::size_t i = 0; i < store.all().size(); ++i) {
      weights.push_back(doubles(flat.weight_of(i)));
    }
    return weights;
  }
};

TEST_F(NormCapTest, ScalesWhatIsAboveItAndLeavesOthersAlone) {
  const auto before = after({.count = 0}), held = after({.count = 1});
  const double limit = kCap * std::sqrt(18.0);
  ASSERT_GT(norm_of(before[1]), limit);
  ASSERT_LT(norm_of(before[2]), kCap * std::sqrt(12.0));
  EXPECT_NEAR(norm_of(held[1]), limit, 1e-6);
  const double factor = limit / norm_of(before[1]);
  for (std::size_t i = 0; i < before[1].size(); ++i) {
    EXPECT_NEAR(held[1][i], before[1][i] * factor, 1e-7);
  }
  for (const std::size_t other : {0, 2, 3}) EXPECT_EQ(held[other], before[other]);
}

// A gradient that drives all numbers up is stopped at one step above the cap.
TEST_F(NormCapTest, HoldsAFactorThatWantsToGrow) {
  const Steps many = {.count = 50, .learning_rate = -0.1};
  const double free = norm_of(after({.count = 50, .learning_rate = -0.1, .is_capped = false})[2]);
  const double held = norm_of(after(many)[2]), limit = kCap * std::sqrt(12.0);
  EXPECT_GT(free, 4 * limit);
  EXPECT_LT(held, limit + 0.1 * std::sqrt(12.0) + 1e-6);
  EXPECT_GT(held, limit);
  EXPECT_EQ(after(many)[0], after({.count = 50, .learning_rate = -0.1, .is_capped = false})[0]);
}

// Parts end inside of factors, whose norm is taken before the first of their pieces changes.
TEST_F(NormCapTest, OfManyPiecesIsThatOfTheWhole) {
  for (const FlatOptions dtypes :
       {FlatOptions{}, FlatOptions{.compute = DType::bf16}, FlatOptions{DType::f64, DType::f64},
        FlatOptions{.compute = DType::bf16, .weights = DType::bf16}}) {
    EXPECT_EQ(after({.count = 3, .learning_rate = 0.1}, dtypes),
              after({.count = 3, .learning_rate = 0.1, .parts = 5}, dtypes));
  }
}

// Ranks have a factor's parts; each scales its own by the norm of the whole.
TEST_F(NormCapTest, AddsUpOverTheRanksThatDivideAFactor) {
  ParameterStore store;
  Placement half;
  half.slice = {0, 0, 8};
  Init init = Init::normal(1.0);
  init.rms = 1.0;
  store.declare("whole", {4}, init);
  store.declare("half", {4, 2}, init, half);
  FlatParameters flat(store, plan_flat_layout(store, 1 << 20, 1), *backend_, {});
  flat.initialise(3);
  std::vector<double> summed;
  NormCap cap(
      store, [](const Parameter&) { return true; },
      [&](const View& x) {
        summed = doubles(flat.weights().alias(x));
        backend_->axpby(x, 2.0, x, 0.0);
      });
  cap.begin_step();
  const double half_norm = norm_of(doubles(flat.weight_of(1)));
  ASSERT_EQ(summed.size(), 1u);
  EXPECT_NEAR(summed[0], half_norm * half_norm, 1e-6);
  EXPECT_NEAR(cap.squares(1).as<double>()[0], 2 * half_norm * half_norm, 1e-6);
  const double whole_norm = norm_of(doubles(flat.weight_of(0)));
  EXPECT_NEAR(cap.squares(0).as<double>()[0], whole_norm * whole_norm, 1e-6);
}

}  // namespace
}  // namespace ty::test
