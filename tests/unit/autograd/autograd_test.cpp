#include <gtest/gtest.h>

#include "core/autograd/replay.h"
#include "core/ops/elementwise.h"
#include "core/ops/matmul.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

class Autograd : public testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = make_reference_backend();
  Tensor one(const Shape& shape) { return Tensor::full(*backend_, shape, DType::f64, 1.0); }
  std::int64_t live(MemoryClass c) { return backend_->memory().stats().of(c); }
};

TEST_F(Autograd, AddsIntoLeavesUntilCleared) {
  const Tensor x = make_leaf(one({3}));
  for (int i = 0; i < 2; ++i) backward(scale(x, 2.0), one({3}));
  EXPECT_EQ(doubles(grad_of(x)), (std::vector<double>{4, 4, 4}));
  leaf_of(x).clear();
  EXPECT_FALSE(grad_of(x).defined());
  backward(scale(x, 2.0), one({3}));
  EXPECT_EQ(doubles(grad_of(x)), (std::vector<double>{2, 2, 2}));
}

TEST_F(Autograd, WritesIntoAGivenWiderBuffer) {
  const Tensor w = make_leaf(random_tensor(*backend_, {4, 3}, "w", DType::bf16));
  const Tensor buffer = Tensor::full(*backend_, {4, 3}, DType::f32, -7.0);
  leaf_of(w).grad = buffer;
  const Tensor x = random_tensor(*backend_, {2, 4}, "x", DType::bf16);
  backward(linear(x, w, Tensor()), Tensor::full(*backend_, {2, 3}, DType::bf16, 1.0));
  const auto xs = doubles(x);
  const auto grad = doubles(buffer);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(grad[i * 3], xs[i] + xs[4 + i], 1e-6);
}

TEST_F(Autograd, ConstantsAndNoGradRecordNothing) {
  EXPECT_FALSE(add(one({2}), one({2})).requires_grad());
  const Tensor x = make_leaf(one({2}));
  EXPECT_TRUE(scale(x, 1.0).requires_grad());
  const NoGrad no_grad;
  EXPECT_FALSE(scale(x, 1.0).requires_grad());
}

TEST_F(Autograd, SurvivesAChainOf100000Nodes) {
  const Tensor x = make_leaf(one({1}));
  Tensor y = x;
  for (int i = 0; i < 100000; ++i) y = scale(y, 1.0);
  backward(y, one({1}));
  EXPECT_EQ(grad_of(x).item(), 1.0);
  Tensor dropped = x;
  for (int i = 0; i < 100000; ++i) dropped = scale(dropped, 1.0);
}

TEST_F(Autograd, CountsSavedTensorsAsActivationsAndFreesThemInBackward) {
  const Tensor x = make_leaf(one({10}));
  const auto before = live(MemoryClass::activation);
  Tensor y = activation(UnaryOp::gelu_tanh, scale(x, 2.0));
  EXPECT_EQ(live(MemoryClass::activation) - before, 80);  // gelu's input
  backward(y, one({10}));
  EXPECT_EQ(live(MemoryClass::activation), before);
}

TEST_F(Autograd, ReportsALeafOnceAfterItsLastContribution) {
  const Tensor early = make_leaf(random_tensor(*backend_, {3, 3}, "w0"));
  const Tensor late = make_leaf(random_tensor(*backend_, {3, 3}, "w1"));
  const Tensor x = random_tensor(*backend_, {2, 3}, "x");
  // `early` is used first, last, and inside a recomputed region.
  Tensor h = linear(x, early, Tensor());
  h = recompute(
      [=](std::span<const Tensor> in) {
        return linear(linear(in[0], late, Tensor()), early, Tensor());
      },
      {h});
  h = linear(h, early, Tensor());
  std::vector<const Leaf*> order;
  std::vector<double> seen;
  backward(h, one({2, 3}), {.on_leaf_complete = [&](Leaf& leaf) {
             order.push_back(&leaf);
             seen.push_back(doubles(leaf.grad)[0]);
           }});
  ASSERT_EQ(order.size(), 2u);
  EXPECT_EQ(order[0], &leaf_of(late));
  EXPECT_EQ(order[1], &leaf_of(early));
  EXPECT_EQ(seen[1], doubles(grad_of(early))[0]);
}

TEST_F(Autograd, RecomputationKeepsOnlyTheInputAndGivesTheSameGradients) {
  const Tensor w = make_leaf(random_tensor(*backend_, {4, 4}, "w"));
  const Tensor x = make_leaf(random_tensor(*backend_, {8, 4}, "x"));
  const auto fn = [w](std::span<const Tensor> in) {
    Tensor h = in[0];
    for (int i = 0; i < 3; ++i) h = activation(UnaryOp::gelu_tanh, linear(h, w, Tensor()));
    return h;
  };
  backward(fn(std::vector<Tensor>{x}), one({8, 4}));
  const auto plain_w = doubles(grad_of(w)), plain_x = doubles(grad_of(x));
  leaf_of(w).clear();
  leaf_of(x).clear();
  const auto before = live(MemoryClass::activation);
  const Tensor h = scale(x, 1.0);
  const Tensor y = recompute(fn, {h});
  EXPECT_EQ(live(MemoryClass::activation) - before, 8 * 4 * 8);  // h
  backward(y, one({8, 4}));
  EXPECT_EQ(doubles(grad_of(w)), plain_w);
  EXPECT_EQ(doubles(grad_of(x)), plain_x);
}

TEST_F(Autograd, DoesNotOverwriteAGradientThatTheCallerHolds) {
  const Tensor x = make_leaf(one({4}));
  const Tensor dy = one({4});
  backward(activation(UnaryOp::relu, scale(x, -1.0)), dy);
  EXPECT_EQ(doubles(dy), (std::vector<double>{1, 1, 1, 1}));
}

}  // namespace
}  // namespace ty::test
