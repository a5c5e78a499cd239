// Results that several graphs use: gradients wait in them until the last backward().
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/autograd/replay.h"
#include "core/ops/elementwise.h"
#include "core/ops/matmul.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

constexpr std::int64_t kRows = 12, kIn = 5, kOut = 4;

class Share : public testing::TestWithParam<bool> {
 protected:
  bool recompute_ = GetParam();
  std::unique_ptr<Backend> backend_ = make_reference_backend();

  Tensor part(const Tensor& x, std::int64_t first, std::int64_t count) const {
    return x.alias(x.view().slice(0, first, count)).contiguous();
  }
  // gelu(x W) W2 with W = gelu(a b), so that the way from W to the leaves is not linear.
  struct Leaves {
    Tensor a, b, after;
  };
  Leaves leaves(DType dtype = DType::f64) const {
    const auto leaf = [&](const Shape& shape, const char* name) {
      return make_leaf(random_tensor(*backend_, shape, name, dtype));
    };
    return {leaf({kIn, 3}, "a"), leaf({3, kOut}, "b"), leaf({kOut, kOut}, "after")};
  }
  Tensor weight(const Leaves& l) const { return activation(UnaryOp::gelu_tanh, matmul(l.a, l.b)); }
  Tensor forward(const Tensor& x, const Tensor& w, const Tensor& after) const {
    const auto fn = [w, after](std::span<const Tensor> in) {
      return linear(activation(UnaryOp::gelu_tanh, linear(in[0], w, Tensor())), after, Tensor());
    };
    return recompute_ ? recompute(fn, {x}) : fn(std::span(&x, 1));
  }
  static std::vector<std::vector<double>> gradients(const Leaves& l) {
    return {doubles(grad_of(l.a)), doubles(grad_of(l.b)), doubles(grad_of(l.after))};
  }
  // Sums over micro-batches of this many rows through one shared W.
  std::vector<std::vector<double>> in_parts(std::int64_t rows, DType dtype = DType::f64) const {
    const Leaves l = leaves(dtype);
    const Tensor x = random_tensor(*backend_, {kRows, kIn}, "x", dtype);
    const Tensor dy = random_tensor(*backend_, {kRows, kOut}, "dy", dtype);
    const Tensor w = share(weight(l));
    for (std::int64_t first = 0; first < kRows; first += rows) {
      backward(forward(part(x, first, rows), w, l.after), part(dy, first, rows),
               {.release_shared = first + rows == kRows});
    }
    return gradients(l);
  }
};

TEST_P(Share, MicroBatchesAddUpToTheWholeBatch) {
  const Leaves l = leaves();
  backward(forward(random_tensor(*backend_, {kRows, kIn}, "x"), weight(l), l.after),
           random_tensor(*backend_, {kRows, kOut}, "dy"));
  const auto whole = gradients(l);
  for (const std::int64_t rows : {1, 3, 6, 12}) {
    const auto parts = in_parts(rows);
    for (std::size_t k = 0; k < whole.size(); ++k) {
      for (std::size_t i = 0; i < whole[k].size(); ++i) {
        ASSERT_NEAR(parts[k][i], whole[k][i], 1e-12) << rows << " rows, leaf " << k;
      }
    }
  }
}

TEST_P(Share, NothingPassesBeforeTheRelease) {
  const Leaves l = leaves();
  const Tensor x = random_tensor(*backend_, {3, kIn}, "x");
  const Tensor dy = random_tensor(*backend_, {3, kOut}, "dy");
  const Tensor w = share(weight(l));
  backward(forward(x, w, l.after), dy);
  EXPECT_FALSE(grad_of(l.a).defined());
  EXPECT_TRUE(grad_of(l.after).defined());
  backward(forward(x, w, l.after), dy, {.release_shared = true});
  EXPECT_TRUE(grad_of(l.a).defined());
}

TEST_P(Share, EveryLeafIsCompleteOnceAndAfterTheRelease) {
  const Leaves l = leaves();
  const Tensor x = random_tensor(*backend_, {3, kIn}, "x");
  const Tensor dy = random_tensor(*backend_, {3, kOut}, "dy");
  const Tensor w = share(weight(l));
  std::map<const Leaf*, int> calls;
  std::map<const Leaf*, std::vector<double>> seen;
  for (const bool last : {false, false, true}) {
    backward(forward(x, w, l.after), dy,
             {.on_leaf_complete =
                  [&](Leaf& leaf) {
                    if (&leaf == &leaf_of(l.after)) return;  // completes in each of them
                    EXPECT_TRUE(last);
                    ++calls[&leaf];
                    seen[&leaf] = doubles(leaf.grad);
                  },
              .release_shared = last});
  }
  ASSERT_EQ(calls.size(), 2u);
  for (const Tensor& leaf : {l.a, l.b}) {
    EXPECT_EQ(calls[&leaf_of(leaf)], 1);
    EXPECT_EQ(seen[&leaf_of(leaf)], doubles(grad_of(leaf)));
  }
}

TEST_P(Share, FreesEverythingInTheEnd) {
  const auto live = [&] { return backend_->memory().stats().total_live; };
  in_parts(3);
  EXPECT_EQ(live(), 0);
  {  // never released
    const Leaves l = leaves();
    const Tensor w = share(weight(l));
    backward(forward(random_tensor(*backend_, {3, kIn}, "x"), w, l.after),
             random_tensor(*backend_, {3, kOut}, "dy"));
  }
  EXPECT_EQ(live(), 0);
}

// In bf16 a sum of 64 equal terms would stop growing, or drift by a per cent at each addition.
TEST_P(Share, SumsOfBf16AreKeptWide) {
  const Tensor a = make_leaf(random_tensor(*backend_, {kIn, kOut}, "a", DType::bf16));
  leaf_of(a).grad = Tensor::empty(*backend_, {kIn, kOut}, DType::f32);
  const Tensor x = random_tensor(*backend_, {1, kIn}, "x", DType::bf16);
  const Tensor eye = Tensor::from<double>(*backend_, {kOut, kOut},
                                          [] {
                                            std::vector<double> values(kOut * kOut, 0.0);
                                            for (std::size_t i = 0; i < kOut; ++i)
                                              values[i * (kOut + 1)] = 1.0;
                                            return values;
                                          }())
                         .to(DType::bf16);
  constexpr int kParts = 600;
  const Tensor dy = Tensor::full(*backend_, {1, kOut}, DType::bf16, 1.0);
  const Tensor w = share(scale(a, 1.0));
  for (int i = 0; i < kParts; ++i) {
    const auto fn = [&](std::span<const Tensor> in) {
      return linear(linear(in[0], w, Tensor()), eye, Tensor());
    };
    backward(recompute_ ? recompute(fn, {x}) : fn(std::span(&x, 1)), dy,
             {.release_shared = i + 1 == kParts});
  }
  const auto got = doubles(grad_of(a)), xs = doubles(x);
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i], kParts * xs[i / kOut], 1e-4 * kParts * std::abs(xs[i / kOut])) << i;
  }
}

// A gradient that arrives as a tensor of its own, not as a computation, is widened too.
TEST_P(Share, ValuesOfBf16AreWidened) {
  const Tensor a = make_leaf(Tensor::full(*backend_, {3}, DType::bf16, 1.0));
  leaf_of(a).grad = Tensor::empty(*backend_, {3}, DType::f32);
  const Tensor w = share(scale(a, 1.0));
  constexpr int kParts = 1000;
  for (int i = 0; i < kParts; ++i) {
    const auto fn = [&](std::span<const Tensor> in) { return add(w, in[0]); };
    const Tensor x = Tensor::full(*backend_, {3}, DType::bf16, 0.0);
    backward(recompute_ ? recompute(fn, {x}) : fn(std::span(&x, 1)),
             Tensor::full(*backend_, {3}, DType::bf16, 1.0), {.release_shared = i + 1 == kParts});
  }
  EXPECT_EQ(doubles(grad_of(a)), std::vector<double>(3, kParts));
}

INSTANTIATE_TEST_SUITE_P(Recompute, Share, testing::Bool(),
                         [](const auto& test) { return test.param ? "Recomputed" : "Kept"; });

}  // namespace
}  // namespace ty::test
