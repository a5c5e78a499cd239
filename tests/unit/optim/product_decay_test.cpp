#include "optim/product_decay.h"

#include <gtest/gtest.h>

#include "core/autograd/graph.h"
#include "core/base/error.h"
#include "optim/optimizer.h"
#include "tests/support/messages.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

Init factor(int index, std::int64_t left, std::int64_t right) {
  Init init = Init::normal(0.7);
  init.chain = {index, left, right};
  return init;
}

bool is_in_chain(const Parameter& p) { return p.init.chain.is_in_chain(); }

UpdateOptions only_products(const Parameter& p) {
  return {.product_decay = is_in_chain(p) ? 0.3 : 0.0};
}

// A bias, two factors, a bias between chains, three cores, a chain that begins at once, with a rank
// of 1 inside.
void declare_chains(ParameterStore& store) {
  store.declare("bias", {5}, Init::constant(0.5));
  store.declare("svd.a", {6, 3}, factor(0, 1, 3));
  store.declare("svd.b", {3, 4}, factor(1, 3, 1));
  store.declare("svd.bias", {4}, Init::constant(0.5));
  store.declare("ttm.core1", {1, 2, 3, 4}, factor(0, 1, 4));
  store.declare("ttm.core2", {4, 3, 2, 5}, factor(1, 4, 5));
  store.declare("ttm.core3", {5, 2, 2, 1}, factor(2, 5, 1));
  store.declare("thin.core1", {1, 2, 2, 1}, factor(0, 1, 1));
  store.declare("thin.core2", {1, 2, 3, 1}, factor(1, 1, 1));
}

// |F_1 F_2 .. F_N|^2 of the chain that begins with parameter `first`, by carrying all of the
// product's rows along.
double squared_norm(const FlatParameters& flat, std::size_t first, std::size_t count) {
  std::vector<double> rows = {1.0};  // [entries, rank]
  for (std::size_t i = first; i < first + count; ++i) {
    const ChainPlace place = flat.store().all()[i].init.chain;
    const std::vector<double> f = doubles(flat.weight_of(i));
    const auto left = static_cast<std::size_t>(place.left);
    const std::size_t tail = f.size() / left, entries = rows.size() / left;
    std::vector<double> next(entries * tail, 0.0);
    for (std::size_t e = 0; e < entries; ++e) {
      for (std::size_t r = 0; r < left; ++r) {
        for (std::size_t t = 0; t < tail; ++t) {
          next[e * tail + t] += rows[e * left + r] * f[r * tail + t];
        }
      }
    }
    rows = next;
  }
  double sum = 0;
  for (const double entry : rows) sum += entry * entry;
  return sum;
}

std::unique_ptr<ProductDecay> products_of(const ParameterStore& store) {
  return std::make_unique<ProductDecay>(store, is_in_chain, [](const View&) { FAIL(); });
}

class ProductDecayTest : public testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = make_cpu_backend();

  // Chains in fp64, whose step has begun.
  struct Begun {
    explicit Begun(Backend& backend) {
      declare_chains(store);
      const FlatLayout layout = plan_flat_layout(store, 1 << 20, 1);
      flat = std::make_unique<FlatParameters>(store, layout, backend,
                                              FlatOptions{DType::f64, DType::f64});
      flat->initialise(3);
      products = products_of(store);
      products->begin_step();
    }
    ParameterStore store;
    std::unique_ptr<FlatParameters> flat;
    std::unique_ptr<ProductDecay> products;
  };
  Begun begun_{*backend_};

  // All weights after a step, in which only products decay, of a rank that owns so many equal parts
  // of the flat buffers.
  std::vector<double> stepped(FlatOptions dtypes, int parts, double learning_rate = 0.1,
                              std::int64_t step = 1) {
    ParameterStore store;
    declare_chains(store);
    FlatParameters flat(store, plan_flat_layout(store, 1 << 20, parts), *backend_, dtypes);
    flat.initialise(3);
    backend_->fill(flat.gradients().view(), 0.0);
    const std::int64_t part = flat.layout().trained / parts;
    std::vector<Range> ranges;
    for (int i = 0; i < parts; ++i) ranges.push_back({i * part, part});
    const auto optimizer = make_adamw(flat, pieces_in(flat.layout(), ranges), only_products, {});
    optimizer->decay_products(products_of(store));
    optimizer->step({.learning_rate = learning_rate, .step = step, .seed = 2});
    std::vector<double> weights;
    for (std::size_t i = 0; i < store.all().size(); ++i) {
      for (const double w : doubles(flat.weight_of(i))) weights.push_back(w);
    }
    return weights;
  }
};

TEST_F(ProductDecayTest, FollowsTheSlopeOfTheProductsNorm) {
  FlatParameters& flat = *begun_.flat;
  struct Chain {
    std::size_t first, count;
  };
  for (const Chain& chain : {Chain{1, 2}, Chain{4, 3}, Chain{7, 2}}) {
    for (std::size_t i = chain.first; i < chain.first + chain.count; ++i) {
      const std::vector<double> slope = doubles(begun_.products->gradient(i));
      const std::vector<double> values = doubles(flat.weight_of(i));
      ASSERT_EQ(slope.size(), values.size());
      for (std::size_t at = 0; at < values.size(); ++at) {
        const auto half_norm = [&](double shift) {
          std::vector<double> moved = values;
          moved[at] += shift;
          backend_->write(flat.weight_of(i).view(), moved.data());
          return squared_norm(flat, chain.first, chain.count) / 2;
        };
        EXPECT_NEAR(slope[at], (half_norm(1e-4) - half_norm(-1e-4)) / 2e-4, 1e-7);
        half_norm(0);
      }
    }
  }
}

TEST_F(ProductDecayTest, StepsAgainstItAndLeavesOthersAlone) {
  FlatParameters& flat = *begun_.flat;
  std::vector<double> expected;
  for (std::size_t i = 0; i < begun_.store.all().size(); ++i) {
    const bool decays = is_in_chain(begun_.store.all()[i]);
    const std::vector<double> slope =
        decays ? doubles(begun_.products->gradient(i)) : std::vector<double>();
    const std::vector<double> values = doubles(flat.weight_of(i));
    for (std::size_t at = 0; at < values.size(); ++at) {
      expected.push_back(decays ? values[at] - 0.1 * 0.3 * slope[at] : values[at]);
    }
  }
  const std::vector<double> after = stepped({DType::f64, DType::f64}, 1);
  ASSERT_EQ(after.size(), expected.size());
  for (std::size_t at = 0; at < after.size(); ++at) EXPECT_NEAR(after[at], expected[at], 1e-15);
}

// Parts end inside of factors, whose gradient is made before the first of their pieces changes.
TEST_F(ProductDecayTest, OfManyPiecesIsThatOfTheWhole) {
  for (const FlatOptions dtypes :
       {FlatOptions{}, FlatOptions{.compute = DType::bf16}, FlatOptions{DType::f64, DType::f64},
        FlatOptions{.compute = DType::bf16, .weights = DType::bf16}}) {
    EXPECT_EQ(stepped(dtypes, 1), stepped(dtypes, 5));
  }
}

// Up or down, at random; the mean over steps is the step of wide weights.
TEST_F(ProductDecayTest, OfWeightsOf16BitsIsRoundedWithTheirUpdate) {
  const FlatOptions narrow = {.compute = DType::bf16, .weights = DType::bf16};
  const FlatOptions wide = {.compute = DType::bf16};
  const std::vector<double> before = stepped(narrow, 1, 0.0);
  std::vector<double> mean(before.size(), 0.0);
  constexpr int kSteps = 400;
  for (int step = 1; step <= kSteps; ++step) {
    const std::vector<double> after = stepped(narrow, 1, 0.1, step);
    for (std::size_t at = 0; at < after.size(); ++at) mean[at] += after[at] / kSteps;
  }
  const std::vector<double> wide_before = stepped(wide, 1, 0.0), wide_after = stepped(wide, 1);
  for (std::size_t at = 0; at < mean.size(); ++at) {
    EXPECT_NEAR(mean[at] - before[at], wide_after[at] - wide_before[at], 2e-3) << at;
  }
}

TEST(ProductDecay, RefusesAFactorThatRanksDivideAlongItsRank) {
  ParameterStore store;
  Placement own_ranks;
  own_ranks.slice = {1, 0, 6};
  store.declare("up.a", {4, 3}, factor(0, 1, 6), own_ranks);
  store.declare("up.b", {3, 4}, factor(1, 6, 1));
  const auto make = [&](const ProductDecay::Decays& decays) {
    return ProductDecay(store, decays, [](const View&) {});
  };
  EXPECT_EQ(message_of<ConfigError>([&] { make(is_in_chain); }),
            "optim.product_decay: tensor ranks divide the rank of up.a, so that none can make its "
            "part; want another layout of that layer, or optim.weight_decay");
  make([](const Parameter&) { return false; });
}

}  // namespace
}  // namespace ty::test
