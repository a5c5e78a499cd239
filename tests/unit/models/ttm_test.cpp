// One TTM layer by every plan: all of them are x W + b with the W of the element formula.
#include <gtest/gtest.h>

#include "core/autograd/backward.h"
#include "core/autograd/gradcheck.h"
#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/matmul.h"
#include "models/linear/ttm/ttm_function.h"
#include "models/linear/ttm/ttm_planner.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

constexpr std::int64_t kRows = 35;  // enough for four workers of a chain, in uneven pieces

struct Case {
  std::string name;
  TtmLayer layer;
};

std::vector<Case> cases() {
  return {{"three_cores", {{{2, 3, 2}, {3, 2, 2}, {1, 4, 3, 1}}, 12, 12}},
          {"one_core", {{{5}, {3}, {1, 1}}, 5, 3}},
          {"two_cores", {{{3, 2}, {2, 5}, {1, 3, 1}}, 6, 10}},
          {"modes_of_one", {{{1, 3, 2}, {4, 1, 1}, {1, 2, 3, 1}}, 6, 4}},
          {"four_cores_rank_above_cap", {{{2, 2, 3, 1}, {2, 1, 2, 3}, {1, 5, 3, 4, 1}}, 12, 12}},
          {"padded", {{{2, 3, 2}, {3, 2, 2}, {1, 4, 3, 1}}, 11, 9}}};
}

std::vector<TtmPass> passes(const TtmShape& shape) {
  std::vector<TtmPass> result;
  for (int split = 1; split <= shape.num_cores(); ++split) {
    for (int panels = 1; panels <= shape.out[0]; ++panels) {
      if (shape.out[0] % panels == 0) result.push_back(DensePass{split, panels});
    }
  }
  for (const std::vector<int>& groups : groupings(shape.num_cores())) {
    for (const ChainOrder order : {ChainOrder::from_left, ChainOrder::from_right}) {
      for (const std::int64_t tokens : {0, 2, 8}) {
        for (const std::int64_t wide : {0, 2, 3}) {
          result.push_back(ChainPass{groups, order, tokens, wide});
        }
      }
    }
  }
  return result;
}

std::vector<Tensor> random_cores(Backend& backend, const TtmShape& shape, DType dtype) {
  std::vector<Tensor> cores;
  for (int k = 0; k < shape.num_cores(); ++k) {
    const auto sizes = shape.core_shape(k);
    cores.push_back(random_tensor(backend, Shape(std::span<const std::int64_t>(sizes)),
                                  "core" + std::to_string(k), dtype));
  }
  return cores;
}

// W[i, j] as the product of the small matrices G_k[:, i_k, j_k, :], digit by digit.
double element(const std::vector<std::vector<double>>& cores, const TtmShape& shape, std::int64_t i,
               std::int64_t j) {
  std::vector<double> row = {1.0};
  std::int64_t in_rest = shape.padded_in(), out_rest = shape.padded_out();
  for (int k = 0; k < shape.num_cores(); ++k) {
    const auto [left, in, out, right] = shape.core_shape(k);
    in_rest /= in;
    out_rest /= out;
    const std::int64_t ik = i / in_rest % in, jk = j / out_rest % out;
    std::vector<double> next(static_cast<std::size_t>(right), 0.0);
    for (std::int64_t a = 0; a < left; ++a) {
      for (std::int64_t b = 0; b < right; ++b) {
        next[static_cast<std::size_t>(b)] +=
            row[static_cast<std::size_t>(a)] *
            cores[static_cast<std::size_t>(k)]
                 [static_cast<std::size_t>(((a * in + ik) * out + jk) * right + b)];
      }
    }
    row = next;
  }
  return row[0];
}

double largest_difference(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = doubles(a), y = doubles(b);
  double worst = x.size() == y.size() ? 0.0 : 1e300;
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    worst = std::max(worst, std::abs(x[i] - y[i]));
  }
  return worst;
}

class Ttm : public testing::TestWithParam<std::tuple<std::string, Case>> {
 protected:
  std::unique_ptr<Backend> backend_ =
      std::get<0>(GetParam()) == "cpu" ? make_cpu_backend() : make_reference_backend();
  TtmLayer map_ = std::get<1>(GetParam()).layer;

  struct Result {
    Tensor y, dx, db;
    std::vector<Tensor> d_cores;
  };
  template <typename Fn>
  Result run(Fn&& fn, DType dtype = DType::f64) {
    const Tensor x = make_leaf(random_tensor(*backend_, {kRows, map_.in}, "x", dtype));
    const Tensor bias = make_leaf(random_tensor(*backend_, {map_.out}, "bias", dtype));
    std::vector<Tensor> cores;
    for (const Tensor& core : random_cores(*backend_, map_.shape, dtype)) {
      cores.push_back(make_leaf(core));
    }
    Result result;
    result.y = fn(x, cores, bias);
    backward(result.y, random_tensor(*backend_, {kRows, map_.out}, "dy", dtype));
    result.dx = grad_of(x);
    result.db = grad_of(bias);
    for (const Tensor& core : cores) result.d_cores.push_back(grad_of(core));
    return result;
  }
  Result by_plan(const TtmPlan& plan, DType dtype = DType::f64) {
    return run([&](const Tensor& x, const std::vector<Tensor>& cores,
                   const Tensor& bias) { return ttm_linear(x, cores, bias, map_, plan); },
               dtype);
  }
};

TEST_P(Ttm, WeightIsTheElementFormula) {
  const std::vector<Tensor> cores = random_cores(*backend_, map_.shape, DType::f64);
  std::vector<std::vector<double>> values;
  for (const Tensor& core : cores) values.push_back(doubles(core));
  for (int split = 1; split <= map_.shape.num_cores(); ++split) {
    const std::vector<double> w = doubles(ttm_weight(cores, map_, split));
    for (std::int64_t i = 0; i < map_.in; ++i) {
      for (std::int64_t j = 0; j < map_.out; ++j) {
        ASSERT_NEAR(w[static_cast<std::size_t>(i * map_.out + j)],
                    element(values, map_.shape, i, j), 1e-12);
      }
    }
  }
}

TEST_P(Ttm, EveryPlanGivesTheSameOutputAndGradients) {
  const Result wanted =
      run([&](const Tensor& x, const std::vector<Tensor>& cores, const Tensor& bias) {
        return add(matmul(x, ttm_weight(cores, map_, 1)), bias);
      });
  for (const TtmPass& pass : passes(map_.shape)) {
    SCOPED_TRACE(to_string(pass));
    const Result got = by_plan(TtmPlan{pass, {pass}});
    EXPECT_LT(largest_difference(got.y, wanted.y), 1e-10);
    EXPECT_LT(largest_difference(got.dx, wanted.dx), 1e-10);
    EXPECT_LT(largest_difference(got.db, wanted.db), 1e-10);
    for (std::size_t k = 0; k < got.d_cores.size(); ++k) {
      EXPECT_LT(largest_difference(got.d_cores[k], wanted.d_cores[k]), 1e-10) << "core " << k;
    }
  }
}

// dx by a forward pass of W^T, the gradients of the cores by any pass.
TEST_P(Ttm, TheInputsGradientMayComeByAPassOfItsOwn) {
  const Result wanted = by_plan(TtmPlan{});
  const std::vector<TtmPass> cores = passes(map_.shape), input = passes(transposed(map_.shape));
  for (std::size_t i = 0; i < input.size(); ++i) {
    const BackwardPass pass = {.cores = cores[i % cores.size()], .input = input[i]};
    SCOPED_TRACE(to_string(pass));
    const Result got = by_plan(TtmPlan{DensePass{}, pass});
    EXPECT_LT(largest_difference(got.dx, wanted.dx), 1e-10);
    for (std::size_t k = 0; k < got.d_cores.size(); ++k) {
      EXPECT_LT(largest_difference(got.d_cores[k], wanted.d_cores[k]), 1e-10) << "core " << k;
    }
  }
}

// On the CPU backend one plan will do: the test above compares all of them with each other.
TEST_P(Ttm, GradientsOfEveryPlanEqualFiniteDifferences) {
  const bool all = std::get<0>(GetParam()) == "reference";
  for (const TtmPass& pass : all ? passes(map_.shape) : std::vector<TtmPass>{DensePass{}}) {
    std::vector<Tensor> inputs = {random_tensor(*backend_, {3, map_.in}, "x"),
                                  random_tensor(*backend_, {map_.out}, "bias")};
    for (const Tensor& core : random_cores(*backend_, map_.shape, DType::f64)) {
      inputs.push_back(core);
    }
    const auto fn = [&](std::span<const Tensor> in) {
      return ttm_linear(in[0], in.subspan(2), in[1], map_, TtmPlan{pass, {pass}});
    };
    EXPECT_EQ(check_gradients(fn, inputs), "") << to_string(pass);
  }
}

TEST_P(Ttm, RecordedChainIsTheSameMap) {
  const TtmPass dense = DensePass{};
  const Result wanted = by_plan(TtmPlan{dense, {dense}});
  for (const std::vector<int>& groups : groupings(map_.shape.num_cores())) {
    for (const ChainOrder order : {ChainOrder::from_left, ChainOrder::from_right}) {
      if (map_.in != map_.shape.padded_in()) continue;
      const Result got =
          run([&](const Tensor& x, const std::vector<Tensor>& cores, const Tensor& bias) {
            return ttm_linear_recorded(x, cores, bias, map_, ChainPass{groups, order, 0});
          });
      EXPECT_LT(largest_difference(got.y, wanted.y), 1e-10);
      EXPECT_LT(largest_difference(got.dx, wanted.dx), 1e-10);
      for (std::size_t k = 0; k < got.d_cores.size(); ++k) {
        EXPECT_LT(largest_difference(got.d_cores[k], wanted.d_cores[k]), 1e-10);
      }
    }
  }
}

// <G_k, dG_k> is one number for all cores: scaling any core scales W.
TEST_P(Ttm, GaugeIdentityHoldsForEveryCore) {
  const Result result = by_plan(TtmPlan{});
  const std::vector<Tensor> cores = random_cores(*backend_, map_.shape, DType::f64);
  std::vector<double> products;
  for (std::size_t k = 0; k < cores.size(); ++k) {
    const std::vector<double> g = doubles(cores[k]), dg = doubles(result.d_cores[k]);
    double sum = 0;
    for (std::size_t i = 0; i < g.size(); ++i) sum += g[i] * dg[i];
    products.push_back(sum);
  }
  for (const double product : products) EXPECT_NEAR(product, products[0], 1e-9);
}

TEST_P(Ttm, RunsInBf16CloseToFp64) {
  const Result wanted = by_plan(TtmPlan{});
  for (const TtmPass& pass : passes(map_.shape)) {
    SCOPED_TRACE(to_string(pass));
    const Result got = by_plan(TtmPlan{pass, {pass}}, DType::bf16);
    double scale = 0;
    for (const double value : doubles(wanted.y)) scale = std::max(scale, std::abs(value));
    EXPECT_EQ(got.y.dtype(), DType::bf16);
    EXPECT_LT(largest_difference(got.y, wanted.y), 0.03 * scale);
    EXPECT_GT(largest_difference(got.y, wanted.y), 1e-6 * scale);
    for (const double value : doubles(wanted.d_cores[0])) scale = std::max(scale, std::abs(value));
    EXPECT_LT(largest_difference(got.d_cores[0], wanted.d_cores[0]), 0.05 * scale);
  }
}

TEST_P(Ttm, KeepsOnlyTheInput) {
  const auto live = [&] { return backend_->memory().stats().total_live; };
  const std::vector<Tensor> cores = random_cores(*backend_, map_.shape, DType::f64);
  std::vector<Tensor> leaves;
  for (const Tensor& core : cores) leaves.push_back(make_leaf(core));
  const Tensor x = make_leaf(random_tensor(*backend_, {kRows, map_.in}, "x"));
  for (const TtmPass& pass : passes(map_.shape)) {
    const std::int64_t before = live();
    const Tensor y = ttm_linear(x, leaves, Tensor(), map_, TtmPlan{pass, {pass}});
    EXPECT_EQ(live() - before, static_cast<std::int64_t>(y.view().bytes())) << to_string(pass);
  }
}

TEST_P(Ttm, EmptyBatchesPass) {
  const std::vector<Tensor> cores = random_cores(*backend_, map_.shape, DType::f64);
  const Tensor x = make_leaf(random_tensor(*backend_, {0, map_.in}, "x"));
  for (const TtmPass& pass : passes(map_.shape)) {
    std::vector<Tensor> leaves;
    for (const Tensor& core : cores) leaves.push_back(make_leaf(core));
    const Tensor y = ttm_linear(x, leaves, Tensor(), map_, TtmPlan{pass, {pass}});
    backward(y, random_tensor(*backend_, {0, map_.out}, "dy"));
    for (const Tensor& leaf : leaves) {
      for (const double value : doubles(grad_of(leaf))) EXPECT_EQ(value, 0.0);
    }
  }
}

TEST_P(Ttm, AConstantInputGivesTheSameGradientsOfTheCores) {
  const Tensor x = random_tensor(*backend_, {kRows, map_.in}, "x");
  const auto d_cores = [&](const Tensor& input, const TtmPass& pass) {
    std::vector<Tensor> cores;
    for (const Tensor& core : random_cores(*backend_, map_.shape, DType::f64)) {
      cores.push_back(make_leaf(core));
    }
    const Tensor y = ttm_linear(input, cores, Tensor(), map_, TtmPlan{pass, {pass}});
    backward(y, random_tensor(*backend_, {kRows, map_.out}, "dy"));
    std::vector<std::vector<double>> result;
    for (const Tensor& core : cores) result.push_back(doubles(grad_of(core)));
    return result;
  };
  for (const TtmPass& pass : passes(map_.shape)) {
    EXPECT_EQ(d_cores(x, pass), d_cores(make_leaf(x), pass)) << to_string(pass);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Every, Ttm, testing::Combine(testing::Values("reference", "cpu"), testing::ValuesIn(cases())),
    [](const auto& test) { return std::get<0>(test.param) + "_" + std::get<1>(test.param).name; });

TEST(TtmErrors, NameTheCoreAndBothShapes) {
  const auto backend = make_reference_backend();
  const TtmLayer layer = {{{2, 3}, {2, 2}, {1, 4, 1}}, 6, 4};
  std::vector<Tensor> cores = random_cores(*backend, layer.shape, DType::f64);
  cores[1] = random_tensor(*backend, {3, 3, 2, 1}, "wrong");
  try {
    ttm_linear(random_tensor(*backend, {2, 6}, "x"), cores, Tensor(), layer, {});
    FAIL();
  } catch (const ShapeError& e) {
    EXPECT_STREQ(e.what(), "ttm_linear: core 2 is [3, 3, 2, 1], wanted [4, 3, 2, 1]");
  }
}

}  // namespace
}  // namespace ty::test
