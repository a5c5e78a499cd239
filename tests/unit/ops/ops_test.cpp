#include <gtest/gtest.h>

#include <cmath>

#include "core/autograd/backward.h"
#include "core/autograd/gradcheck.h"
#include "core/base/error.h"
#include "tests/unit/ops/op_cases.h"

namespace ty::test {
namespace {

std::unique_ptr<Backend> make_backend(const std::string& name) {
  if (name == "cpu") return make_cpu_backend();
  return make_reference_backend();
}

class OpGradients : public testing::TestWithParam<std::tuple<std::string, OpCase>> {};

TEST_P(OpGradients, EqualFiniteDifferences) {
  const auto backend = make_backend(std::get<0>(GetParam()));
  const OpCase& op = std::get<1>(GetParam());
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    inputs.push_back(random_tensor(*backend, op.inputs[i], op.name + std::to_string(i)));
  }
  EXPECT_EQ(check_gradients(op.fn, inputs), "");
}

INSTANTIATE_TEST_SUITE_P(Every, OpGradients,
                         testing::Combine(testing::Values("reference", "cpu"),
                                          testing::ValuesIn(op_cases())),
                         [](const auto& test) {
                           return std::get<0>(test.param) + "_" + std::get<1>(test.param).name;
                         });

TEST(GradientCheck, FindsAWrongGradient) {
  const auto backend = make_reference_backend();
  const auto wrong = [](Inputs x) {
    Tensor y = scale(x[0].detach(), 2.0);
    return record("wrong", y, {x[0]}, [](const Tensor& dy) { return Grads{scale(dy, 2.001)}; });
  };
  EXPECT_NE(check_gradients(wrong, {random_tensor(*backend, {3}, "x")}), "");
}

// Its gradients are by agreement none of the function's, so finite differences know nothing of
// them.
TEST(KeepLargest, PassesGradientsStraightThrough) {
  for (const char* name : {"reference", "cpu"}) {
    const auto backend = make_backend(name);
    const auto tensor = [&](const std::vector<double>& values) {
      return Tensor::from<double>(*backend, {2, 2}, values);
    };
    const Tensor w = make_leaf(tensor({1, 2, 3, 4})), scores = make_leaf(tensor({5, -1, 7, 0}));
    const Tensor y = keep_largest(w, scores, 2);
    EXPECT_EQ(doubles(y), (std::vector<double>{1, 0, 3, 0}));
    backward(y, tensor({10, 20, 30, 40}));
    EXPECT_EQ(doubles(grad_of(w)), (std::vector<double>{10, 20, 30, 40}));
    EXPECT_EQ(doubles(grad_of(scores)), (std::vector<double>{10, 40, 90, 160}));
  }
}

TEST(Divergence, IsThatOfTheSoftmaxesBothWays) {
  const auto backend = make_reference_backend();
  const Tensor logits = random_tensor(*backend, {4, 3}, "logits");
  const std::vector<double> x = doubles(logits);
  const auto log_softmax = [&](std::size_t row, std::size_t k) {
    double sum = 0;
    for (std::size_t j = 0; j < 3; ++j) sum += std::exp(x[3 * row + j]);
    return x[3 * row + k] - std::log(sum);
  };
  double wanted = 0;
  for (std::size_t pair = 0; pair < 2; ++pair) {
    for (std::size_t k = 0; k < 3; ++k) {
      const double p = log_softmax(2 * pair, k), q = log_softmax(2 * pair + 1, k);
      wanted += std::exp(p) * (p - q) + std::exp(q) * (q - p);
    }
  }
  EXPECT_NEAR(divergence_of_pairs(logits).item(), wanted, 1e-12);
  const std::vector<double> same = {1, 2, 3, 1, 2, 3};
  EXPECT_EQ(divergence_of_pairs(Tensor::from<double>(*backend, {2, 3}, same)).item(), 0.0);
  EXPECT_EQ(divergence_of_pairs(logits.to(DType::bf16)).dtype(), DType::f32);
}

// Message of the error that fn throws.
template <typename Fn>
std::string refusal(Fn&& fn) {
  try {
    fn();
  } catch (const ShapeError& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST(OpErrors, NameBothShapes) {
  const auto backend = make_reference_backend();
  const auto t = [&](Shape shape) { return random_tensor(*backend, shape, "t"); };
  EXPECT_EQ(refusal([&] {
              matmul(t({8, 128, 768}), t({512, 3072}));
            }),
            "matmul: inner dimensions differ: a [8, 128, 768] and b [512, 3072] (768 vs 512)");
  EXPECT_EQ(refusal([&] { add(t({3}), t({4})); }),
            "add: [3] and [4] do not broadcast (dimension -1: 3 vs 4)");
  EXPECT_EQ(refusal([&] {
              linear(t({2, 3}), t({4, 5}), Tensor());
            }),
            "linear: x [2, 3] does not fit weight [4, 5] (4 inputs)");
  EXPECT_EQ(refusal([&] {
              reshape(t({2, 3}), {4, -1});
            }),
            "reshape: [2, 3] has 6 elements, [4, 1] has 4");
  EXPECT_EQ(refusal([&] {
              layer_norm(t({2, 3}), t({4}), t({4}), 1e-5);
            }),
            "layer_norm: x [2, 3] wants gamma and beta [3], got [4] and [4]");
  EXPECT_EQ(refusal([&] {
              self_attention(t({1, 2, 10}), 2, {});
            }),
            "self_attention: qkv [1, 2, 10] wants [B, T, 3C] with C divisible by 2 heads");
  EXPECT_EQ(refusal([&] {
              attention(t({1, 2, 3, 4}), t({1, 5, 3, 4}), t({1, 6, 3, 4}), {});
            }),
            "attention: wants q [B, Tq, H, D] and k, v [B, Tk, H, D] of one dtype, got fp64 "
            "[1, 2, 3, 4], fp64 [1, 5, 3, 4] and fp64 [1, 6, 3, 4]");
  EXPECT_EQ(refusal([&] {
              self_attention(t({3, 2, 6}), 1, {}, random_ids(*backend, {2}, 3));
            }),
            "attention: wants int32 lengths [3], one per batch entry, got int32 [2]");
  EXPECT_EQ(refusal([&] {
              embedding(t({4, 2}), t({3}));
            }),
            "embedding: wants a table [V, C] and contiguous int32 ids, got [4, 2] and fp64 [3]");
  EXPECT_EQ(refusal([&] {
              cross_entropy(t({2, 3}), random_ids(*backend, {3}, 2));
            }),
            "cross_entropy: wants logits [N, V] and int32 targets [N], got [2, 3] and int32 [3]");
}

TEST(Attention, OfSplitProjectionsIsSelfAttentionOfTheFusedOnes) {
  const auto backend = make_cpu_backend();
  const Tensor qkv = random_tensor(*backend, {2, 5, 3 * 8}, "qkv");  // two heads of 4
  const auto part = [&](int which) {
    return qkv.alias(head_view(qkv.view(), 2, which).transpose(1, 2));
  };
  const AttentionOptions options = {.scale = 0.0, .causal = true, .dropout = some_mask()};
  EXPECT_EQ(doubles(attention(part(0), part(1), part(2), options)),
            doubles(self_attention(qkv, 2, options)));
}

TEST(CrossEntropy, OfUniformLogitsIsTheLogarithmOfTheVocabulary) {
  const auto backend = make_reference_backend();
  const Tensor logits = Tensor::full(*backend, {3, 8}, DType::f64, 0.5);
  EXPECT_NEAR(cross_entropy(logits, random_ids(*backend, {3}, 8)).item(), 3 * std::log(8.0), 1e-12);
}

// By hand: logits 0, 1 and 2, target 1, e 0.3 and z 0.5.
TEST(CrossEntropy, HasTheTermsOfSmoothingAndOfZ) {
  const double lse = std::log(1.0 + std::exp(1.0) + std::exp(2.0));
  const double wanted = 0.7 * (lse - 1.0) + 0.3 * (lse - 1.0) + 0.5 * lse * lse;
  for (const bool fast : {false, true}) {
    const auto backend = fast ? make_cpu_backend() : make_reference_backend();
    const std::vector<double> values = {0, 1, 2};
    const std::vector<std::int32_t> middle = {1}, last = {2};
    const Tensor logits = Tensor::from<double>(*backend, {1, 3}, values);
    const auto loss = [&](const std::vector<std::int32_t>& target, const CrossEntropyTerms& terms) {
      return cross_entropy(logits, Tensor::from<std::int32_t>(*backend, {1}, target), terms).item();
    };
    EXPECT_NEAR(loss(middle, {.label_smoothing = 0.3, .z_loss = 0.5}), wanted, 1e-14);
    EXPECT_NEAR(loss(last, {.label_smoothing = 0.3}), lse - 0.7 * 2.0 - 0.3 * 1.0, 1e-14);
    EXPECT_NEAR(loss(last, {}), lse - 2.0, 1e-14);
  }
}

TEST(CrossEntropy, BackwardReusesTheLogitsWhenNobodyElseHoldsThem) {
  const auto backend = make_reference_backend();
  const Tensor x = make_leaf(random_tensor(*backend, {64, 100}, "x"));
  const Tensor targets = random_ids(*backend, {64}, 100);
  const Tensor loss = cross_entropy(scale(x, 1.0), targets);
  backend->memory().reset_peak();
  const auto before = backend->memory().stats().total_live;
  backward(loss, Tensor::full(*backend, {1}, DType::f64, 1.0));
  const auto grown = backend->memory().stats().total_peak - before;
  // The leaf's gradient and scale's result, no third buffer for dlogits.
  EXPECT_LE(grown, 2 * 64 * 100 * 8 + 1024);
}

}  // namespace
}  // namespace ty::test
