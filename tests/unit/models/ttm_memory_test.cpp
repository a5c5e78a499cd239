// What a TTM layer of 768 -> 2304 keeps alive after the forward pass over 16,384 tokens, in fp32
// and parameters excluded: the published figures are 192, 1008 and 2544 MiB. Counted without
// memory.
#include <gtest/gtest.h>

#include "core/autograd/backward.h"
#include "core/backend/dry/dry_backend.h"
#include "models/linear/ttm/ttm_function.h"
#include "models/linear/ttm/ttm_planner.h"

namespace ty::test {
namespace {

constexpr std::int64_t kTokens = 16384;
const TtmLayer kMap = {{{8, 8, 12, 1}, {8, 8, 12, 3}, {1, 16, 16, 16, 1}}, 768, 2304};

class SeedLayer : public testing::Test {
 protected:
  SeedLayer() {
    for (int k = 0; k < kMap.shape.num_cores(); ++k) {
      const auto sizes = kMap.shape.core_shape(k);
      cores_.push_back(make_leaf(
          Tensor::empty(backend_, Shape(std::span<const std::int64_t>(sizes)), DType::f32)));
    }
    parameters_ = live();
    x_ = Tensor::empty(backend_, {kTokens, kMap.in}, DType::f32);
  }
  std::int64_t live() { return backend_.memory().stats().total_live; }
  // MiB alive beyond the parameters while y is there.
  double mib() { return static_cast<double>(live() - parameters_) / (1 << 20); }

  DryBackend backend_;
  std::vector<Tensor> cores_;
  Tensor x_;
  std::int64_t parameters_ = 0;
};

TEST_F(SeedLayer, CustomBackwardKeepsOnlyItsInput) {
  for (const TtmPass& forward :
       {TtmPass{ChainPass{{1, 1, 1, 1}, ChainOrder::from_left, 64}}, TtmPass{DensePass{2, 1}}}) {
    for (const BackwardPass& backward :
         {BackwardPass{ChainPass{{2, 2}, ChainOrder::from_left, 64}}, BackwardPass{DensePass{2, 1}},
          BackwardPass{DensePass{2, 1}, ChainPass{{2, 2}, ChainOrder::from_left, 64}}}) {
      const Tensor y = ttm_linear(x_, cores_, Tensor(), kMap, {forward, backward});
      EXPECT_EQ(mib(), 192.0);
    }
  }
}

TEST_F(SeedLayer, RecordedChainsKeepTheirStates) {
  Tensor y =
      ttm_linear_recorded(x_, cores_, Tensor(), kMap, ChainPass{{2, 2}, ChainOrder::from_left, 0});
  EXPECT_NEAR(mib(), 1008.0, 1.0);
  y = Tensor();
  y = ttm_linear_recorded(x_, cores_, Tensor(), kMap,
                          ChainPass{{1, 1, 1, 1}, ChainOrder::from_left, 0});
  EXPECT_NEAR(mib(), 2544.0, 1.0);
}

TEST_F(SeedLayer, DefaultPlanPeaksBelow400MiB) {
  const Tensor source = make_leaf(Tensor::empty(backend_, {1}, DType::f32));
  const Tensor x =
      record("layer before", x_, {source}, [](const Tensor&) { return Grads{Gradient()}; });
  const Tensor dy = Tensor::empty(backend_, {kTokens, kMap.out}, DType::f32);
  const Tensor y = ttm_linear(x, cores_, Tensor(), kMap, choose_ttm_plan(kMap, kTokens).plan);
  backward(y, dy);
  EXPECT_LE(static_cast<double>(backend_.memory().stats().total_peak) / (1 << 20), 400.0);
}

}  // namespace
}  // namespace ty::test
