// A dense guide beside a layer of any kind: what training passes see of it, and for how long.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/autograd/backward.h"
#include "models/linear/base/pass.h"
#include "models/linear/guides.h"
#include "models/linear/svd/svd.h"
#include "models/linear/ttm/ttm.h"
#include "tests/unit/models/linear_contract.h"

namespace ty::test {
namespace {

constexpr std::int64_t kFade = 8;

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

// A guided layer [12, 10] with fp64 weights; the bias is not zero.
struct Layer {
  explicit Layer(const LinearSpec& of, std::uint64_t seed = 3, GuideMix mix = GuideMix::blend)
      : spec(resolved(GuidedSpec{kFade, of, mix}, shape)),
        linear(make_linear(Scope(store, "layer"), shape, spec, Split::none, {})),
        flat(store, plan_flat_layout(store, 1 << 20, 1), *backend, {DType::f64, DType::f64}) {
    flat.initialise(seed);
    fill_zeros(store, *backend);
  }
  Tensor in_step(const Tensor& x, std::int64_t step, bool training = true) const {
    return linear->forward_in(x, {.training = training, .step = step});
  }
  std::vector<double> values(const char* name) const { return doubles(store.find(name)->value); }

  std::unique_ptr<Backend> backend = make_reference_backend();
  LinearShape shape = {.in = 12, .out = 10, .weight_std = 0.5};
  ParameterStore store;
  GuidedSpec spec;
  std::unique_ptr<Linear> linear;
  FlatParameters flat;
};

const std::vector<LinearSpec>& kinds() {
  static const std::vector<LinearSpec> all = {
      SvdSpec{.rank = 3}, TtmSpec{.rank = 3},
      TtmSpec{.in = {3, 4}, .out = {5, 2}, .ranks = {4}, .init = FactorInit::spectral}};
  return all;
}

TEST(Guided, FadesByACosineAndHasNoPartFromItsLastStepOn) {
  const GuidedSpec spec = {.steps = kFade};
  EXPECT_EQ(guide_share(spec, 0), 1.0);
  EXPECT_NEAR(guide_share(spec, 2), 0.5 * (1 + std::numbers::sqrt2 / 2), 1e-15);
  EXPECT_NEAR(guide_share(spec, 4), 0.5, 1e-15);
  EXPECT_GT(guide_share(spec, 7), 0.0);
  EXPECT_EQ(guide_share(spec, 8), 0.0);
  EXPECT_EQ(guide_share(spec, 1000), 0.0);
}

TEST(Guided, BeginsAsTheWeightThatItGuides) {
  for (const LinearSpec& kind : kinds()) {
    const Layer layer(kind), other(kind, 4);
    const auto guide = layer.values("layer.guide.weight");
    EXPECT_LT(largest_difference(guide, doubles(layer.linear->dense_weight())), 1e-12)
        << describe(layer.spec);
    EXPECT_NE(guide, other.values("layer.guide.weight"));
    const Tensor x = random_tensor(*layer.backend, {5, 12}, "x");
    EXPECT_LT(largest_difference(doubles(layer.in_step(x, 0)), doubles(layer.linear->forward(x))),
              1e-12);
  }
}

TEST(Guided, MixesBothInTrainingAndShowsTheGuidedOneElsewhere) {
  for (const LinearSpec& kind : kinds()) {
    const Layer layer(kind);
    const Parameter& guide = *layer.store.find("layer.guide.weight");
    layer.backend->copy(guide.value.view(), random_tensor(*layer.backend, {12, 10}, "g").view());
    const Tensor x = random_tensor(*layer.backend, {5, 12}, "x");
    const NoGrad no_grad;
    const Tensor bias = layer.store.find("layer.bias")->value;
    const Tensor own = matmul(x, layer.linear->dense_weight()), guided = matmul(x, guide.value);
    for (const std::int64_t step : {0, 1, 5, 8, 9}) {
      const double a = guide_share(layer.spec, step);
      const auto wanted = doubles(add(add(scale(guided, a), scale(own, 1 - a)), bias));
      EXPECT_LT(largest_difference(doubles(layer.in_step(x, step)), wanted), 1e-12) << step;
      EXPECT_EQ(doubles(layer.in_step(x, step, false)), doubles(layer.linear->forward(x)));
    }
    EXPECT_LT(largest_difference(doubles(layer.linear->forward(x)), doubles(add(own, bias))),
              1e-12);
  }
}

TEST(Guided, GradientsEqualFiniteDifferences) {
  constexpr std::int64_t kStep = 3;
  for (const LinearSpec& kind : kinds()) {
    const Layer layer(kind);
    const Tensor x = make_leaf(random_tensor(*layer.backend, {4, 12}, "x"));
    const Tensor dy = random_tensor(*layer.backend, {4, 10}, "dy");
    backward(layer.in_step(x, kStep), dy);
    const auto loss = [&] {
      const NoGrad no_grad;
      return sum(mul(layer.in_step(x, kStep), dy)).item();
    };
    const auto check = [&](const Tensor& values, const std::string& name) {
      const auto gradient = doubles(grad_of(values));
      for (std::int64_t i = 0; i < values.numel(); ++i) {
        const View at =
            contiguous_view(values.view().data, DType::f64, {values.numel()}).slice(0, i, 1);
        const double before = values.alias(at).item();
        layer.backend->fill(at, before + 0.5);  // linear in each number: no error but rounding
        const double above = loss();
        layer.backend->fill(at, before - 0.5);
        const double below = loss();
        layer.backend->fill(at, before);
        ASSERT_NEAR(gradient[static_cast<std::size_t>(i)], above - below, 1e-9)
            << name << " element " << i;
      }
    };
    for (const Parameter& p : layer.store.all()) check(p.value, p.name);
    check(x, "x");
  }
}

// z = 1 everywhere is the model of the guides, z = 0 that of the factors.
TEST(Guided, ByDrawIsOneOfBothInEachStepAndForEachCopy) {
  const Layer layer(SvdSpec{.rank = 3}, 3, GuideMix::draw);
  EXPECT_EQ(guide_share(layer.spec, 0), 1.0);
  EXPECT_EQ(guide_share(layer.spec, 2), 0.75);
  EXPECT_EQ(guide_share(layer.spec, kFade), 0.0);
  const Parameter& guide = *layer.store.find("layer.guide.weight");
  layer.backend->copy(guide.value.view(), random_tensor(*layer.backend, {12, 10}, "g").view());
  const Tensor x = random_tensor(*layer.backend, {6, 2, 12}, "x");
  const NoGrad no_grad;
  const Tensor bias = layer.store.find("layer.bias")->value;
  const auto own = doubles(add(matmul(x, layer.linear->dense_weight()), bias));
  const auto guided = doubles(add(matmul(x, guide.value), bias));
  const auto is_guided = [&](const std::vector<double>& y, std::size_t sequence) {
    const std::size_t at = sequence * 20;
    const bool by_guide = std::abs(y[at] - guided[at]) < 1e-12;
    for (std::size_t i = at; i < at + 20; ++i) {
      EXPECT_NEAR(y[i], by_guide ? guided[i] : own[i], 1e-12) << i;
    }
    return by_guide;
  };
  int drawn = 0, apart = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    LinearPass pass = {.training = true, .seed = seed, .step = 2, .sequences = 6};
    const auto once = doubles(layer.linear->forward_in(x, pass));
    for (std::size_t s = 0; s < 6; ++s) EXPECT_EQ(is_guided(once, s), is_guided(once, 0));
    drawn += is_guided(once, 0) ? 1 : 0;
    pass.copies = 2;
    const auto twice = doubles(layer.linear->forward_in(x, pass));
    for (std::size_t s = 0; s < 6; ++s) EXPECT_EQ(is_guided(twice, s), is_guided(twice, s % 2));
    EXPECT_EQ(is_guided(twice, 0), is_guided(once, 0));
    apart += is_guided(twice, 0) != is_guided(twice, 1) ? 1 : 0;
  }
  EXPECT_NEAR(drawn, 150, 20);
  EXPECT_NEAR(apart, 2 * 0.75 * 0.25 * 200, 25);
}

TEST(Guided, LeavesRulesWhenItHasFadedOut) {
  const LinearSpec svd = SvdSpec{.rank = 3};
  const std::vector<LinearRule> rules = {
      {"a", GuidedSpec{4, svd}}, {"b", svd}, {"c", GuidedSpec{9, svd}}};
  EXPECT_EQ(without_guides(rules, 3), rules);
  const std::vector<LinearRule> after = without_guides(rules, 4);
  EXPECT_EQ(after[0].spec, svd);
  EXPECT_EQ(after[2].spec, rules[2].spec);
  EXPECT_EQ(without_guides(rules, 9)[2].spec, svd);
}

}  // namespace
}  // namespace ty::test
