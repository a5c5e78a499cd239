#include <gtest/gtest.h>

#include <cmath>

#include "core/autograd/graph.h"
#include "core/base/error.h"
#include "core/nn/flat_parameters.h"
#include "models/compress/svd.h"
#include "models/compress/ttm.h"
#include "models/linear/base/linear.h"
#include "models/linear/dense/dense.h"
#include "models/linear/svd/svd.h"
#include "models/linear/ttm/ttm.h"
#include "tests/support/matrices.h"
#include "tests/support/messages.h"
#include "tests/support/statistics.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

const Method& method(std::string_view name) {
  for (const Method& each : methods()) {
    if (each.name == name) return each;
  }
  throw InternalError("no method {}", name);
}

std::int64_t count_factors(const Decomposition& d) {
  std::size_t count = 0;
  for (const auto& [name, values] : d.factors) count += values.size();
  return static_cast<std::int64_t>(count);
}

// A layer of the decomposition's kind with the factors as its parameters, in double.
struct BuiltLayer {
  std::unique_ptr<Backend> backend = make_reference_backend();
  ParameterStore store;
  std::unique_ptr<Linear> layer;
  std::unique_ptr<FlatParameters> parameters;

  BuiltLayer(const Matrix& w, const Decomposition& d) {
    const LinearShape shape = {.in = w.rows, .out = w.cols, .bias = false};
    layer = make_linear(Scope(store, "layer"), shape, resolved(d.spec, shape), Split::none, {});
    EXPECT_EQ(store.all().size(), d.factors.size());
    EXPECT_EQ(store.count(), count_factors(d));
    EXPECT_EQ(num_weights(d.spec, shape), count_factors(d));
    parameters =
        std::make_unique<FlatParameters>(store, plan_flat_layout(store, 1, 1), *backend,
                                         FlatOptions{.compute = DType::f64, .weights = DType::f64});
    for (std::size_t i = 0; i < store.all().size(); ++i) {
      const std::vector<double>& values = d.factors.at(store.all()[i].name.substr(6));
      EXPECT_EQ(std::ssize(values), store.all()[i].shape.numel()) << store.all()[i].name;
      backend->write(parameters->weight_of(i).view(), values.data());
    }
  }

  // What forward() multiplies by: its answer to the identity.
  Matrix weight() const {
    const NoGrad no_grad;
    const std::int64_t n = in();
    const Tensor eye = Tensor::from<double>(*backend, {n, n}, identity(n).data);
    const Tensor y = layer->forward(eye);
    return Matrix(n, y.dim(1), y.values<double>());
  }
  std::int64_t in() const { return layer->dense_weight().dim(0); }
};

struct Case {
  const char* method;
  DecompositionRequest request;
};

TEST(Decomposition, ReportsTheErrorOfTheLayerThatItBuilds) {
  const Matrix w = random_matrix(24, 60);
  const std::vector<Case> cases = {
      {"svd", {.budget = RankBudget{1}}},
      {"svd", {.budget = RankBudget{7}}},
      {"svd", {.budget = ShareBudget{0.5}}},
      {"svd", {.budget = ErrorBudget{0.3}}},
      {"ttm", {.budget = RankBudget{5}}},
      {"ttm", {.budget = RankBudget{9}, .in = {4, 3, 2}, .out = {3, 4, 5}}},
      {"ttm", {.budget = ShareBudget{0.4}}},
      {"ttm", {.budget = ShareBudget{0.9}, .cores = 4}},
      {"ttm", {.budget = ErrorBudget{0.3}}},
      {"ttm", {.budget = ErrorBudget{0.5}, .in = {6, 4}, .out = {6, 10}}},
      {"kronecker", {.budget = RankBudget{3}}},
      {"btt", {.budget = RankBudget{2}}},
      {"btt", {.budget = ShareBudget{0.6}}},
      {"btt", {.budget = ErrorBudget{0.5}, .in = {6, 4}, .out = {6, 10}}},
      {"cp", {.budget = RankBudget{4}, .in = {4, 3, 2}, .out = {3, 4, 5}}},
      {"cp", {.budget = ShareBudget{0.4}}},
      {"tucker", {.budget = RankBudget{4}, .in = {4, 3, 2}, .out = {3, 4, 5}}},
      {"tucker", {.budget = ShareBudget{0.4}}},
      {"tucker", {.budget = ErrorBudget{0.5}, .in = {6, 4, 1}, .out = {6, 5, 2}}},
      {"row_trains", {.budget = RankBudget{2}}},
      {"row_trains", {.budget = ShareBudget{0.6}}},
      {"row_trains", {.budget = ErrorBudget{0.3}, .cores = 4}},
      {"kronecker", {.budget = ShareBudget{0.4}}},
      {"kronecker", {.budget = ErrorBudget{0.5}, .in = {6, 4}, .out = {6, 10}}},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    const Decomposition d = method(cases[i].method).decompose(w, cases[i].request, {});
    EXPECT_EQ(kind_name(d.spec), cases[i].method);
    EXPECT_NEAR(distance(BuiltLayer(w, d).weight(), w), d.error, 1e-10);
    if (const auto* share = std::get_if<ShareBudget>(&cases[i].request.budget)) {
      EXPECT_LE(static_cast<double>(count_factors(d)), share->share * 24 * 60);
      EXPECT_GT(static_cast<double>(count_factors(d)), 0.6 * share->share * 24 * 60);
    }
    if (const auto* error = std::get_if<ErrorBudget>(&cases[i].request.budget)) {
      EXPECT_LE(d.error, error->eps * frobenius_norm(w));
    }
  }
}

TEST(Decomposition, OfSvdLosesTheTailOfTheSpectrum) {
  const Matrix w = matrix_with_spectrum(20, 31, {8, 4, 2, 1, 0.5});
  EXPECT_NEAR(decompose_svd(w, {.budget = RankBudget{3}}).error, std::sqrt(1 + 0.25), 1e-12);
  EXPECT_NEAR(decompose_svd(w, {.budget = RankBudget{5}}).error, 0, 1e-12);
  // The fewest values whose loss is within the bound: dropping 1 and 0.5 is, dropping 2 too is not.
  const double norm = frobenius_norm(w);
  EXPECT_EQ(decompose_svd(w, {.budget = ErrorBudget{1.2 / norm}}).spec.as<SvdSpec>()->rank, 3);
  EXPECT_EQ(decompose_svd(w, {.budget = ErrorBudget{1.1 / norm}}).spec.as<SvdSpec>()->rank, 4);
}

TEST(Decomposition, CutsRanksToWhatTheMatrixCanUse) {
  const Matrix w = random_matrix(8, 12);
  const Decomposition svd = decompose_svd(w, {.budget = RankBudget{1000}});
  EXPECT_EQ(svd.spec.as<SvdSpec>()->rank, 8);
  EXPECT_NEAR(svd.error, 0, 1e-10);
  const Decomposition ttm =
      decompose_ttm(w, {.budget = RankBudget{1000}, .in = {2, 2, 2}, .out = {2, 3, 2}});
  EXPECT_EQ(ttm.spec.as<TtmSpec>()->ranks, (std::vector<std::int64_t>{4, 4}));
  EXPECT_NEAR(ttm.error, 0, 1e-10);
  EXPECT_NEAR(distance(BuiltLayer(w, ttm).weight(), w), 0, 1e-10);
  // One core is the matrix itself.
  const Decomposition one = decompose_ttm(w, {.budget = ShareBudget{1}, .cores = 1});
  EXPECT_EQ(one.factors.at("core1"), w.data);
  EXPECT_NEAR(distance(BuiltLayer(w, one).weight(), w), 0, 1e-12);
}

TEST(Decomposition, OfATrainUsesTheRoomThatCutBondsLeave) {
  // The first bond can use 4. Of 512 weights a uniform rank of 6 would use 304; 4 and 10 use 496.
  const Decomposition d = decompose_ttm(
      random_matrix(16, 32), {.budget = ShareBudget{1}, .in = {2, 2, 4}, .out = {2, 4, 4}});
  EXPECT_EQ(d.spec.as<TtmSpec>()->ranks, (std::vector<std::int64_t>{4, 10}));
  EXPECT_EQ(count_factors(d), 496);
}

TEST(Decomposition, NamesTheLeastShareAndFittingModes) {
  const LinearShape size = {.in = 32, .out = 128};
  EXPECT_EQ(message_of<ConfigError>([&] { check_svd(size, {.budget = ShareBudget{0.01}}); }),
            "a share of 0.01 is less than rank 1 needs, 160 of 4096 weights; want 0.0391 or more");
  EXPECT_NO_THROW(check_svd(size, {.budget = ShareBudget{0.0391}}));
  EXPECT_TRUE(
      contains(message_of<ConfigError>([&] { check_ttm(size, {.budget = ShareBudget{0.001}}); }),
               "48 of 4096 weights; want 0.0118 or more"));
  EXPECT_NO_THROW(check_ttm(size, {.budget = ShareBudget{0.0118}}));
  EXPECT_EQ(message_of<ConfigError>([&] {
              check_ttm(size, {.budget = RankBudget{2}, .in = {4, 4}, .out = {8, 16}});
            }),
            "ttm: in modes [4, 4] multiply to 16, but the layer has 32 in features; the product "
            "must be 32 or more");
}

TEST(Decomposition, RefusesWeightsThatAreNotFinite) {
  Matrix w = random_matrix(4, 4);
  w(2, 1) = NAN;
  for (const Method& each : methods()) {
    DecompositionRequest request = {.budget = RankBudget{2}};
    if (each.takes_steps) request.budget = ShareBudget{0.5};
    EXPECT_THROW(each.decompose(w, request, even_statistics(4, 4)), NonFiniteError) << each.name;
  }
}

TEST(ForwardFlops, FollowTheFactors) {
  const LinearShape size = {.in = 1024, .out = 4096};
  EXPECT_EQ(forward_flops(DenseSpec{}, size, 10), 10 * 2.0 * 1024 * 4096);
  EXPECT_EQ(forward_flops(SvdSpec{.rank = 50}, size, 10), 10 * 2.0 * 50 * (1024 + 4096));
  // At rank 72 making W costs as much as 92 dense tokens, and chains cost far more per token.
  TtmSpec ttm;
  ttm.in = {16, 16, 4};
  ttm.out = {16, 16, 16};
  ttm.ranks = {72, 72};
  const double dense = forward_flops(DenseSpec{}, size, 1024);
  EXPECT_NEAR(forward_flops(ttm, size, 1024) - dense, 774e6, 10e6);
}

}  // namespace
}  // namespace ty::test
