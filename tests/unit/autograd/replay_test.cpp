// Functions of several results, and functions whose inside is made again.
#include "core/autograd/replay.h"

#include <gtest/gtest.h>

#include "core/ops/elementwise.h"
#include "core/ops/matmul.h"
#include "core/ops/shape.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

using Inputs = std::span<const Tensor>;

class ReplayTest : public testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = make_reference_backend();
  Tensor random(const Shape& shape, const char* name) {
    return random_tensor(*backend_, shape, name);
  }
  Tensor leaf(const Shape& shape, const char* name) { return make_leaf(random(shape, name)); }
  std::int64_t activations() { return backend_->memory().stats().of(MemoryClass::activation); }

  // [2 N, C] as two halves [N, C].
  std::vector<Tensor> halves(const Tensor& x) {
    const std::int64_t rows = x.dim(0) / 2;
    std::vector<Tensor> ys;
    for (int i = 0; i < 2; ++i)
      ys.push_back(x.alias(x.view().slice(0, i * rows, rows)).contiguous());
    return record("halves", ys, {x}, [this, shape = x.shape()](Inputs dys) {
      ++calls_;
      const Tensor dx = Tensor::full(*backend_, shape, DType::f64, 0.0);
      for (int i = 0; i < 2; ++i) {
        if (!dys[static_cast<std::size_t>(i)].defined()) continue;
        backend_->copy(dx.view().slice(0, i * shape[0] / 2, shape[0] / 2),
                       dys[static_cast<std::size_t>(i)].view());
      }
      return Grads{dx};
    });
  }
  int calls_ = 0;
};

TEST_F(ReplayTest, AFunctionOfTwoResultsRunsBackOnceWithBothGradients) {
  const Tensor x = leaf({4, 3}, "x");
  const std::vector<Tensor> h = halves(scale(x, 2.0));
  backward(add(mul(h[0], h[1]), h[0]), random({2, 3}, "dy"));
  EXPECT_EQ(calls_, 1);
  const auto xs = doubles(x), dy = doubles(random({2, 3}, "dy")), dx = doubles(grad_of(x));
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(dx[i], 2 * dy[i] * (2 * xs[i + 6] + 1), 1e-12);
    EXPECT_NEAR(dx[i + 6], 4 * dy[i] * xs[i], 1e-12);
  }
}

TEST_F(ReplayTest, AResultThatNobodyUsesHasNoGradient) {
  const Tensor x = leaf({4, 3}, "x");
  backward(halves(scale(x, 1.0))[1], random({2, 3}, "dy"));
  const auto dx = doubles(grad_of(x)), dy = doubles(random({2, 3}, "dy"));
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(dx[i], 0.0);
    EXPECT_EQ(dx[i + 6], dy[i]);
  }
}

TEST_F(ReplayTest, RecomputesSeveralResults) {
  const Tensor w = leaf({3, 3}, "w"), x = leaf({4, 3}, "x");
  const auto fn = [&](Inputs in) {
    const Tensor h = activation(UnaryOp::gelu_tanh, linear(in[0], w, Tensor()));
    std::vector<Tensor> ys = halves(h);
    ys.push_back(scale(h, 3.0));
    return ys;
  };
  const std::vector<Tensor> dys = {random({2, 3}, "a"), Tensor(), random({4, 3}, "c")};
  backward(fn(std::vector<Tensor>{x}), dys);
  const auto plain_w = doubles(grad_of(w)), plain_x = doubles(grad_of(x));
  leaf_of(w).clear();
  leaf_of(x).clear();
  const auto before = activations();
  const std::vector<Tensor> ys = recompute(fn, {scale(x, 1.0)});
  EXPECT_EQ(activations() - before, 4 * 3 * 8);  // the input alone
  backward(ys, dys);
  EXPECT_EQ(doubles(grad_of(w)), plain_w);
  EXPECT_EQ(doubles(grad_of(x)), plain_x);
}

// A function that counts how often its dear inside is made.
struct Dear {
  int made = 0;
  Tensor operator()(const Tensor& x) {
    const Tensor y = once([&] {
      ++made;
      Tensor twice = Tensor::empty_like(x);
      x.backend().axpby(twice.view(), 2.0, x.view(), 0.0);
      return twice;
    });
    return record("dear", y, {x}, [](const Tensor& dy) {
      Tensor dx = Tensor::empty_like(dy);
      dy.backend().axpby(dx.view(), 2.0, dy.view(), 0.0);
      return Grads{dx};
    });
  }
};

// What is dear is kept if only what is cheap is recomputed, what is unread is not made again.
TEST_F(ReplayTest, ProductsAreDear) {
  const Tensor w = leaf({3, 3}, "w"), x = leaf({4, 3}, "x"), dy = random({4, 3}, "dy");
  int made = 0;
  const auto fn = [&](Inputs in) {
    const Tensor h = linear(activation(UnaryOp::gelu_tanh, in[0]), w, Tensor());
    const Tensor unseen = unread([&] {
      ++made;
      return h.to(DType::f64);
    });
    EXPECT_EQ(unseen.shape(), h.shape());
    return activation(UnaryOp::relu, h);
  };
  backward(fn(std::vector<Tensor>{x}), dy);
  const auto plain_w = doubles(grad_of(w)), plain_x = doubles(grad_of(x));
  for (const auto& [recomputed, kept] :
       {std::pair(Recomputed::all, 1), std::pair(Recomputed::cheap, 2)}) {
    made = 0;
    leaf_of(w).clear();
    leaf_of(x).clear();
    const auto before = activations();
    const Tensor y = recompute([&](Inputs in) { return fn(in); }, {scale(x, 1.0)}, recomputed);
    EXPECT_EQ(activations() - before, kept * 4 * 3 * 8);
    backward(y, dy);
    EXPECT_EQ(made, 1);
    EXPECT_EQ(doubles(grad_of(w)), plain_w);
    EXPECT_EQ(doubles(grad_of(x)), plain_x);
  }
}

TEST_F(ReplayTest, OnceIsTakenFromMemory) {
  Dear dear;
  const Tensor x = leaf({2, 3}, "x");
  const auto fn = [&](Inputs in) {
    return activation(UnaryOp::gelu_tanh, dear(scale(dear(in[0]), 0.7)));
  };
  backward(fn(std::vector<Tensor>{x}), random({2, 3}, "dy"));
  const auto plain = doubles(grad_of(x));
  leaf_of(x).clear();
  dear.made = 0;
  const auto before = activations();
  const Tensor y = recompute(fn, {x});
  EXPECT_EQ(dear.made, 2);
  EXPECT_EQ(activations() - before, 3 * 48);  // x and both values
  backward(y, random({2, 3}, "dy"));
  EXPECT_EQ(dear.made, 2);
  EXPECT_EQ(doubles(grad_of(x)), plain);
  EXPECT_EQ(activations(), before);
}

TEST_F(ReplayTest, OnceHoldsInsideOfNestedReplays) {
  Dear dear;
  const Tensor x = leaf({2, 3}, "x");
  const auto inner = [&](Inputs in) { return scale(dear(in[0]), 0.5); };
  const auto outer = [&](Inputs in) {
    const Tensor h = dear(recompute(inner, {in[0]}));
    return activation(UnaryOp::gelu_tanh, recompute(inner, {h}));
  };
  backward(outer(std::vector<Tensor>{x}), random({2, 3}, "dy"));
  const auto plain = doubles(grad_of(x));
  leaf_of(x).clear();
  dear.made = 0;
  backward(recompute(outer, {x}), random({2, 3}, "dy"));
  EXPECT_EQ(dear.made, 3);
  EXPECT_EQ(doubles(grad_of(x)), plain);
}

TEST_F(ReplayTest, MayRunBeforeItsGradientIsThere) {
  int runs = 0;
  const Tensor w = leaf({3, 3}, "w"), x = leaf({4, 3}, "x");
  const auto fn = [&](Inputs in) {
    ++runs;
    return std::vector<Tensor>{activation(UnaryOp::relu, linear(in[0], w, Tensor()))};
  };
  Replay replay(fn, {x});
  EXPECT_EQ(runs, 1);
  ASSERT_EQ(replay.leaves().size(), 2u);  // x and w are read by linear
  replay.run();
  replay.run();
  EXPECT_EQ(runs, 2);
  const Tensor dy = random({4, 3}, "dy");
  const std::vector<Tensor> dx = replay.backward(std::span(&dy, 1));
  EXPECT_EQ(runs, 2);
  ASSERT_EQ(dx.size(), 1u);
  backward(linear(x, w, Tensor()), Tensor::full(*backend_, {4, 3}, DType::f64, 0.0));
  leaf_of(w).clear();
  leaf_of(x).clear();
  backward(fn(std::vector<Tensor>{x}), std::span(&dy, 1));
  EXPECT_EQ(doubles(dx[0]), doubles(grad_of(x)));
}

TEST_F(ReplayTest, AnErrorInsideLeavesNothingBehind) {
  const Tensor x = leaf({2}, "x");
  EXPECT_THROW(recompute([](Inputs) -> Tensor { throw std::runtime_error("inside"); }, {x}),
               std::runtime_error);
  EXPECT_TRUE(grad_enabled());
  int made = 0;
  once([&] {
    ++made;
    return x;
  });
  EXPECT_EQ(made, 1);
}

}  // namespace
}  // namespace ty::test
