#include "models/linear/svd/svd_function.h"

#include <gtest/gtest.h>

#include "core/autograd/gradcheck.h"
#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/matmul.h"
#include "tests/support/messages.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

class SvdFunction : public testing::TestWithParam<const char*> {
 protected:
  std::unique_ptr<Backend> backend_ =
      std::string_view(GetParam()) == "cpu" ? make_cpu_backend() : make_reference_backend();
  Tensor random(const Shape& shape, const char* name) {
    return random_tensor(*backend_, shape, name);
  }
};

TEST_P(SvdFunction, GradientsEqualFiniteDifferencesInBothLayouts) {
  for (const auto layout : {WeightLayout::in_out, WeightLayout::out_in}) {
    const bool plain = layout == WeightLayout::in_out;
    for (const bool bias : {true, false}) {
      const auto fn = [&](std::span<const Tensor> x) {
        return svd_linear(x[0], x[1], x[2], bias ? x[3] : Tensor(), std::nullopt, layout);
      };
      std::vector<Tensor> inputs = {random({2, 3, 7}, "x"),
                                    random(plain ? Shape{7, 3} : Shape{3, 7}, "a"),
                                    random(plain ? Shape{3, 5} : Shape{5, 3}, "b")};
      if (bias) inputs.push_back(random({5}, "bias"));
      EXPECT_EQ(check_gradients(fn, inputs), "") << "in_out " << plain << " bias " << bias;
    }
  }
}

TEST_P(SvdFunction, HasAFunctionBetweenItsProducts) {
  for (const auto op : {UnaryOp::silu, UnaryOp::gelu_erf}) {
    const auto fn = [&](std::span<const Tensor> x) {
      return svd_linear(x[0], x[1], x[2], x[3], op);
    };
    const std::vector<Tensor> inputs = {random({2, 3, 7}, "x"), random({7, 3}, "a"),
                                        random({3, 5}, "b"), random({5}, "bias")};
    EXPECT_EQ(check_gradients(fn, inputs), "");
    const auto expected =
        doubles(add(matmul(activation(op, matmul(inputs[0], inputs[1])), inputs[2]), inputs[3]));
    const auto y = doubles(fn(inputs));
    for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], expected[i], 1e-13);
  }
}

TEST_P(SvdFunction, LayoutsAreTransposesOfEachOther) {
  const Tensor x = random({4, 7}, "x"), a = random({7, 3}, "a"), b = random({3, 5}, "b");
  const auto turned = [](const Tensor& t) {
    return t.alias(t.view().transpose(0, 1)).contiguous();
  };
  const auto one = doubles(svd_linear(x, a, b, Tensor()));
  const auto other =
      doubles(svd_linear(x, turned(a), turned(b), Tensor(), std::nullopt, WeightLayout::out_in));
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(one[i], other[i], 1e-13);
}

INSTANTIATE_TEST_SUITE_P(Backends, SvdFunction, testing::Values("reference", "cpu"));

TEST(SvdFunctionErrors, NameAllShapes) {
  const auto backend = make_reference_backend();
  const auto t = [&](const Shape& shape) { return random_tensor(*backend, shape, "t"); };
  EXPECT_EQ(message_of<ShapeError>([&] {
              svd_linear(t({2, 7}), t({7, 3}), t({4, 5}), Tensor());
            }),
            "svd_linear: x [2, 7], a [7, 3] and b [4, 5] do not fit");
  EXPECT_EQ(message_of<ShapeError>([&] {
              svd_linear(t({2, 7}), t({7, 3}), t({3, 5}), t({4}));
            }),
            "svd_linear: bias [4] does not fit 5 outputs");
}

}  // namespace
}  // namespace ty::test
