// Files as the public Python libraries write them (tests/golden/gpt2).
#include <gtest/gtest.h>

#include <cmath>

#include "core/io/tensor_set.h"

namespace ty {
namespace {

const Path kGolden = Path(TY_GOLDEN_DIR) / "gpt2";

class GoldenFiles : public ::testing::TestWithParam<const char*> {
 protected:
  const Path directory = kGolden / GetParam();
};

TEST_P(GoldenFiles, EveryTensorIsFiniteAndEveryGradientHasItsWeight) {
  const TensorSet weights = open_tensors(directory / "model");
  const TensorSet gradients = open_tensors(directory / "gradients.safetensors");
  EXPECT_EQ(weights.metadata().at("format"), "pt");
  EXPECT_GT(gradients.names().size(), 10u);
  for (const std::string& name : gradients.names()) {
    EXPECT_EQ(weights.view(name).shape, gradients.view(name).shape) << name;
    for (const TensorSet* set : {&weights, &gradients}) {
      const View view = set->view(name);
      double squares = 0;
      for (std::int64_t i = 0; i < view.numel(); ++i) {
        squares += std::pow(double{view.as<float>()[i]}, 2);
      }
      EXPECT_TRUE(std::isfinite(squares) && squares > 0) << name;
    }
  }
}

TEST_P(GoldenFiles, LossIsTheMeanCrossEntropyOfTheLogits) {
  const SafetensorsFile file(directory / "expected.safetensors");
  const View tokens = file.view("tokens"), logits = file.view("logits");
  ASSERT_EQ(tokens.numel(), logits.shape[0] + 1);
  double loss = 0;
  for (std::int64_t i = 0; i < logits.shape[0]; ++i) {
    const float* row = logits[i].as<float>();
    double sum = 0;
    for (std::int64_t v = 0; v < logits.shape[1]; ++v) sum += std::exp(double{row[v]});
    loss += std::log(sum) - double{row[tokens.as<std::int64_t>()[i + 1]]};
  }
  loss /= static_cast<double>(logits.shape[0]);
  EXPECT_NEAR(*file.view("loss").as<float>(), loss, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Gpt2, GoldenFiles,
                         ::testing::Values("tied_gelu_new", "untied_gelu", "old_relu", "sharded"),
                         [](const auto& name) { return std::string(name.param); });

TEST(GoldenGpt2, ShardsWithAnIndexAreOneModel) {
  const TensorSet set = open_tensors(kGolden / "sharded" / "model");
  EXPECT_EQ(set.path().filename(), "model.safetensors.index.json");
  EXPECT_EQ(set.names().size(), 40u);
}

}  // namespace
}  // namespace ty
