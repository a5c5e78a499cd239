// Factors start so that their product looks like the initial weight of a dense layer.
#include "models/linear/base/factor_init.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/linalg/svd.h"
#include "core/nn/flat_parameters.h"
#include "models/linear/base/linear.h"
#include "models/linear/btt/btt.h"
#include "models/linear/svd/svd.h"
#include "models/linear/ttm/ttm.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

constexpr double kStd = 0.02;

// A layer of its own with fp64 weights.
struct Map {
  Map(const LinearShape& shape, const LinearSpec& spec, std::uint64_t seed,
      std::int64_t bucket = 1 << 20, std::int64_t shards = 1)
      : linear(make_linear(Scope(store, "layer"), shape, spec, Split::none, {})),
        flat(store, plan_flat_layout(store, bucket, shards), *backend, {DType::f64, DType::f64}) {
    flat.initialise(seed);
  }
  std::unique_ptr<Backend> backend = make_reference_backend();
  ParameterStore store;
  std::unique_ptr<Linear> linear;
  FlatParameters flat;

  std::vector<double> values(const char* name) { return doubles(store.find(name)->value); }
};

struct Row {
  std::string name;
  LinearShape shape;
  LinearSpec spec;
};

class Init : public testing::TestWithParam<Row> {
 protected:
  LinearShape shape_ = GetParam().shape;
  LinearSpec spec_ = resolved(GetParam().spec, GetParam().shape);
};

TEST_P(Init, EntriesOfTheWeightHaveTheStandardDeviationOfADenseOne) {
  double energy = 0;
  constexpr int kSeeds = 10;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const auto w =
        doubles(Map(shape_, spec_, static_cast<std::uint64_t>(seed)).linear->dense_weight());
    double sum = 0;
    for (const double value : w) sum += value * value;
    energy += sum / static_cast<double>(w.size());
  }
  EXPECT_NEAR(std::sqrt(energy / kSeeds), kStd, 0.05 * kStd);
}

TEST_P(Init, WeightsDoNotDependOnTheFlatLayout) {
  Map one(shape_, spec_, 5), other(shape_, spec_, 5, 100, 4), another_seed(shape_, spec_, 6);
  for (const Parameter& p : one.store.all()) {
    EXPECT_EQ(one.values(p.name.c_str()), other.values(p.name.c_str())) << p.name;
    if (p.shape.rank() > 1) {
      EXPECT_NE(one.values(p.name.c_str()), another_seed.values(p.name.c_str())) << p.name;
    }
  }
}

std::vector<Row> rows() {
  const LinearShape shape = {.in = 96, .out = 128, .weight_std = kStd};
  const auto orthogonal = [](auto spec) {
    spec.init = FactorInit::orthogonal;
    return spec;
  };
  const auto spectral = [](auto spec) {
    spec.init = FactorInit::spectral;
    return spec;
  };
  const TtmSpec automatic = {.rank = 12};
  const TtmSpec above_cap = {.in = {2, 6, 8}, .out = {2, 8, 8}, .rank = 20};  // cap of bond 1: 4
  const TtmSpec padded = {.in = {5, 5, 4}, .out = {4, 5, 7}, .rank = 9};
  const SvdSpec svd = {.rank = 10};
  return {{"ttm", shape, automatic},
          {"ttm_orthogonal", shape, orthogonal(automatic)},
          {"above_cap", shape, above_cap},
          {"above_cap_orthogonal", shape, orthogonal(above_cap)},
          {"padded", shape, padded},
          {"padded_orthogonal", shape, orthogonal(padded)},
          {"svd", shape, svd},
          {"svd_orthogonal", shape, orthogonal(svd)},
          {"spectral", shape, spectral(automatic)},
          {"above_cap_spectral", shape, spectral(above_cap)},
          {"padded_spectral", shape, spectral(padded)},
          {"svd_spectral", shape, spectral(svd)}};
}
INSTANTIATE_TEST_SUITE_P(Every, Init, testing::ValuesIn(rows()),
                         [](const auto& test) { return test.param.name; });

TEST(FactorInit, CoresOfTheWorkedExample) {
  const TtmShape shape = with_rank({16, 16, 4}, {16, 16, 16}, 72);
  for (const auto& init : ttm_inits(shape, kStd, FactorInit::normal, "layer")) {
    EXPECT_NEAR(init.value, 0.06525, 5e-6);
  }
}

// What optim.factor_norm_cap is in units of: the elements of a normal start have it.
TEST(FactorInit, StatesTheRootMeanSquareOfANormalStart) {
  const LinearShape shape = {.in = 128, .out = 256, .weight_std = kStd};
  for (const LinearSpec& spec : {LinearSpec(TtmSpec{.rank = 9}), LinearSpec(SvdSpec{.rank = 16}),
                                 LinearSpec(BttSpec{.rank = 4})}) {
    const LinearSpec whole = resolved(spec, shape);
    ParameterStore store;
    make_linear(Scope(store, "layer"), shape, whole, Split::none, {});
    int factors = 0;
    for (const Parameter& each : store.all()) {
      if (each.name == "layer.bias") {
        EXPECT_EQ(each.init.rms, 0.0);
        continue;
      }
      ++factors;
      ASSERT_EQ(each.init.kind, ty::Init::Kind::normal);
      EXPECT_GT(each.init.value, 0.0);
      EXPECT_EQ(each.init.rms, each.init.value) << each.name;
    }
    EXPECT_GE(factors, 2);
  }
}

// sqrt(least size of W / least size of the factor) / number of factors.
TEST(FactorInit, RatesOfTheWorkedExamples) {
  const auto rates = [](const LinearShape& shape, const LinearSpec& spec) {
    ParameterStore store;
    make_linear(Scope(store, "layer"), shape, resolved(spec, shape), Split::none, {});
    std::vector<double> all;
    for (const Parameter& p : store.all()) all.push_back(p.init.rate);
    return all;
  };
  const auto expect = [](const std::vector<double>& got, const std::vector<double>& wanted) {
    ASSERT_EQ(got.size(), wanted.size());
    for (std::size_t k = 0; k < got.size(); ++k) EXPECT_NEAR(got[k], wanted[k], 1e-5) << k;
  };
  const TtmSpec down = {.in = {8, 8, 8}, .out = {8, 8, 2}, .rank = 19};
  expect(rates({.in = 512, .out = 128}, down), {4.0 / 3, 0.30589, 8.0 / 3, 1});  // and the bias
  expect(rates({.in = 128, .out = 512}, SvdSpec{.rank = 32}), {1, 1, 1});
  expect(rates({.in = 128, .out = 512}, SvdSpec{.rank = 8}), {2, 2, 1});
  expect(rates({.in = 128, .out = 512}, {}), {1, 1});
}

// Columns of a core [.., R] as a matrix: their products with each other.
std::vector<double> gram(const std::vector<double>& core, std::size_t columns) {
  std::vector<double> result(columns * columns, 0.0);
  for (std::size_t i = 0; i < core.size(); i += columns) {
    for (std::size_t a = 0; a < columns; ++a) {
      for (std::size_t b = 0; b < columns; ++b)
        result[a * columns + b] += core[i + a] * core[i + b];
    }
  }
  return result;
}

TEST(FactorInit, AllCoresButTheLastHaveOrthonormalColumns) {
  const LinearShape shape = {.in = 24, .out = 30, .weight_std = kStd};
  Map layer(
      shape,
      resolved(
          TtmSpec{
              .in = {2, 3, 4}, .out = {2, 5, 3}, .ranks = {4, 11}, .init = FactorInit::orthogonal},
          shape),
      1);
  for (const auto& [name, rank] : {std::pair{"layer.core1", 4u}, std::pair{"layer.core2", 11u}}) {
    const auto g = gram(layer.values(name), rank);
    for (std::size_t i = 0; i < g.size(); ++i) {
      EXPECT_NEAR(g[i], i % (rank + 1) == 0 ? 1.0 : 0.0, 1e-12) << name << " " << i;
    }
  }
}

// A bond's term trains unless the columns and rows that it joins are zero on both sides.
TEST(FactorInit, EveryTermOfABondAboveItsCapTrains) {
  const LinearShape shape = {.in = 96, .out = 128, .weight_std = kStd};
  const TtmSpec spec = {
      .in = {2, 6, 8}, .out = {2, 8, 8}, .ranks = {20, 7}, .init = FactorInit::orthogonal};
  Map layer(shape, resolved(spec, shape), 1);
  const auto g = gram(layer.values("layer.core1"), 20);
  for (std::size_t r = 0; r < 20; ++r) EXPECT_NEAR(g[r * 20 + r], 1.0, 1e-12) << r;
}

// The leading singular values of a dense draw lie close together; those of a product of two draws
// do not.
TEST(FactorInit, ASpectralStartHasTheSpectrumOfADenseDraw) {
  const LinearShape shape = {.in = 96, .out = 128, .weight_std = kStd};
  const auto spread = [&](FactorInit init) {
    const SvdSpec spec = {.rank = 10, .init = init};
    const auto w = doubles(Map(shape, spec, 1).linear->dense_weight());
    const auto sigma = singular_values(Matrix(96, 128, w));
    return sigma[0] / sigma[9];
  };
  EXPECT_LT(spread(FactorInit::spectral), 1.5);
  EXPECT_GT(spread(FactorInit::normal), 1.8);
}

// At its full ranks the train is the draw itself, whose entries are normal.
TEST(FactorInit, NothingIsCutFromASpectralStartOfFullRank) {
  const LinearShape shape = {.in = 12, .out = 15, .weight_std = kStd};
  const TtmSpec spec = {
      .in = {2, 3, 2}, .out = {3, 1, 5}, .ranks = {6, 10}, .init = FactorInit::spectral};
  Map layer(shape, resolved(spec, shape), 1);
  const RandomStream stream(1, site_id("layer.dense"));
  const Matrix draw = normal_matrix(6, 30, stream);
  const auto w = doubles(layer.linear->dense_weight());
  EXPECT_NEAR(std::abs(w[0] / w[1]), std::abs(draw.data[0] / draw.data[1]), 1e-9);
  double sum = 0;
  for (const double value : w) sum += value * value;
  EXPECT_NEAR(std::sqrt(sum / 180), kStd, 1e-12);
}

// All factors start at one scale, as those of a normal start do.
TEST(FactorInit, SpectralFactorsHaveOneScale) {
  const LinearShape shape = {.in = 96, .out = 128, .weight_std = kStd};
  const TtmSpec spec = {.rank = 12, .init = FactorInit::spectral};
  Map layer(shape, resolved(spec, shape), 1);
  std::vector<double> scales;
  for (const char* name : {"layer.core1", "layer.core2", "layer.core3"}) {
    const auto core = layer.values(name);
    double sum = 0;
    for (const double value : core) sum += value * value;
    scales.push_back(std::sqrt(sum / static_cast<double>(core.size())));
  }
  EXPECT_NEAR(scales[1] / scales[0], 1.0, 1e-9);
  EXPECT_NEAR(scales[2] / scales[0], 1.0, 1e-9);
}

}  // namespace
}  // namespace ty::test
