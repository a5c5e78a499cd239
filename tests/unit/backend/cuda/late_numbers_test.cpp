// Numbers that stay on the device: what is read later, and updates by a factor that was made there.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/backend/cuda/device/cuda_backend.h"
#include "core/base/error.h"
#include "tests/unit/backend/arrays.h"

namespace ty::cuda {
namespace {

using test::Array;

TEST(LateReads, GiveTheNumberThatWasThereWhenTheyBegan) {
  CudaBackend backend({});
  const Array x(DType::f64, {2}, {3.0, 4.0});
  const auto first = backend.start_read(x);
  backend.fill(x, 7.0);
  const auto second = backend.start_read(x.view().slice(0, 0, 1));
  double numbers[2] = {}, one = 0;
  second->take(&one);
  first->take(numbers);
  EXPECT_EQ(one, 7.0);
  EXPECT_EQ(numbers[0], 3.0);
  EXPECT_EQ(numbers[1], 4.0);
}

TEST(LateReads, ThrowWhatKernelsHaveNoted) {
  CudaBackend backend({});
  const Array table(DType::f32, {3, 2}, {1, 2, 3, 4, 5, 6}), y(DType::f32, {1, 2});
  backend.gather_rows(y, table, Array(DType::i32, {1}, {3}), {});
  const auto copy = backend.start_read(y);
  float numbers[2] = {};
  EXPECT_THROW(copy->take(numbers), ShapeError);
  EXPECT_NO_THROW(backend.synchronize());  // once
}

double factor_of(double squares, double loss, double limit, double before = 1.0,
                 double scale = 1.0) {
  CudaBackend backend({});
  const Array factor(DType::f64, {1}, {before});
  backend.clip_factor(factor, Array(DType::f64, {1}, {squares}), Array(DType::f64, {1}, {loss}),
                      limit, scale);
  return factor.values()[0];
}

TEST(ClipFactor, IsThatOfTheHostAndStaysNaN) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  EXPECT_EQ(factor_of(9.0, 1.0, 0.0), 1.0);
  EXPECT_EQ(factor_of(9.0, 1.0, 4.0), 1.0);
  EXPECT_EQ(factor_of(9.0, 1.0, 0.5), 0.5 / (3.0 + 1e-6));
  // Gradients with a loss scale of 8.
  EXPECT_EQ(factor_of(9.0 * 64, 1.0, 4.0, 1.0, 8.0), 0.125);
  EXPECT_EQ(factor_of(9.0 * 64, 1.0, 0.5, 1.0, 8.0), 0.5 / (3.0 + 1e-6) / 8);
  EXPECT_TRUE(std::isnan(factor_of(kInfinite, 1.0, 0.0)));
  EXPECT_TRUE(std::isnan(factor_of(std::nan(""), 1.0, 0.5)));
  EXPECT_TRUE(std::isnan(factor_of(9.0, -kInfinite, 0.5)));
  EXPECT_TRUE(std::isnan(factor_of(9.0, 1.0, 0.5, std::nan(""))));
}

// Weights and moments after a step of both optimizers.
std::vector<double> updated(double scale, const View& factor) {
  CudaBackend backend({});
  const Shape shape = {19};
  const Array w = Array::random(DType::f32, shape, 1), g = Array::random(DType::bf16, shape, 2);
  const Array m = Array::random(DType::f32, shape, 3),
              v = Array::random(DType::f32, shape, 4, 0, 1);
  const Array low = Array::random(DType::bf16, shape, 5);
  backend.scale_updates(factor);
  backend.adamw(w, m, v, low, g, {.lr = 0.1, .weight_decay = 0.1, .gradient_scale = scale});
  backend.sgd(w, m, low, g, {.lr = 0.1, .momentum = 0.9, .gradient_scale = scale});
  std::vector<double> all;
  for (const Array* x : {&w, &m, &v, &low}) {
    for (const double number : x->values()) all.push_back(number);
  }
  return all;
}

TEST(Updates, TakeTheirFactorFromTheDevice) {
  const Array quarter(DType::f64, {1}, {0.25}), nan(DType::f64, {1}, {std::nan("")});
  EXPECT_EQ(updated(2.0, quarter), updated(0.5, {}));
  EXPECT_NE(updated(2.0, quarter), updated(2.0, {}));
  // NaN: nothing changes, and nothing of the gradients is seen.
  CudaBackend backend({});
  const Array w = Array::random(DType::f32, {19}, 1), m = Array::random(DType::f32, {19}, 2);
  const std::vector<double> before = w.values();
  backend.scale_updates(nan);
  backend.sgd(w, m, {}, Array(DType::f32, {19}), {.lr = 0.1, .momentum = 0.9});
  backend.sgd(w, {}, {}, m, {.lr = 0.1, .is_clipped = false});
  backend.adamw(w, m, m, {}, Array(DType::f32, {19}), {.lr = 0.1, .weight_decay = 0.1});
  EXPECT_EQ(w.values(), before);
  // What is no gradient is only forbidden.
  const auto decayed = [&](const View& factor, bool is_clipped) {
    const Array x = Array::random(DType::f32, {19}, 1);
    backend.scale_updates(factor);
    backend.sgd(x, {}, {}, m, {.lr = 0.1, .is_clipped = is_clipped});
    return x.values();
  };
  EXPECT_EQ(decayed(quarter, false), decayed({}, true));
  EXPECT_NE(decayed(quarter, true), decayed({}, true));
}

}  // namespace
}  // namespace ty::cuda
