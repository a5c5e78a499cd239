// Ten training steps of the public library (tests/golden/gpt2/make_curve.py): the same losses,
// gradient norms and weights, with AdamW, decay, warm-up, cosine and clipping.
#include <gtest/gtest.h>

#include <cmath>

#include "core/io/tensor_set.h"
#include "launch/run/training_step.h"
#include "models/huggingface/model_directory.h"
#include "models/huggingface/model_tensors.h"
#include "models/huggingface/model_writer.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

constexpr std::int64_t kSteps = 10, kBatch = 4, kLength = 16;

class GoldenCurve : public testing::Test {
 protected:
  Path folder_ = Path(TY_GOLDEN_DIR) / "gpt2";
  TensorSet expected_ = open_tensors(folder_ / "curve.safetensors");
  std::unique_ptr<Backend> backend_ = make_cpu_backend();

  HostBatch batch(std::int64_t step) const {
    std::vector<std::int32_t> ids, targets;
    const auto* tokens =
        expected_.view("tokens").as<std::int32_t>() + step * kBatch * (kLength + 1);
    for (std::int64_t b = 0; b < kBatch; ++b, tokens += kLength + 1) {
      ids.insert(ids.end(), tokens, tokens + kLength);
      targets.insert(targets.end(), tokens + 1, tokens + kLength + 1);
    }
    return token_batch(step * kBatch, kBatch, std::move(ids), std::move(targets));
  }

  // Largest relative errors.
  struct Errors {
    double loss = 0, norm = 0, weight = 0;
  };
  Errors train(DType dtype, std::int64_t micro_batches) {
    const Path directory = folder_ / "tied_gelu_new/model";
    const ModelSpec config = read_model_config(directory);
    Model model(describe_model(config), LinearRules());
    FlatParameters flat(model.parameters(), plan_flat_layout(model.parameters(), 500, 1), *backend_,
                        {.compute = dtype, .weights = dtype});
    load_weights(directory, flat, config);
    GradientReducer reducer(flat, {}, {});
    const auto decay = [](const Parameter& p) {
      return UpdateOptions{.weight_decay = p.shape.rank() > 1 ? 0.1 : 0.0};
    };
    const auto adamw =
        make_adamw(flat, reducer.owned_pieces(), decay, {.beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8});
    const auto objective = cross_entropy_objective();
    TrainingStep step(model, *objective, flat, *adamw, reducer,
                      {.micro_batches = micro_batches,
                       .clip = 1.8,
                       .schedule = {.kind = LearningRateKind::cosine,
                                    .peak = 5e-3,
                                    .floor = 5e-4,
                                    .warmup = 3,
                                    .steps = kSteps}});
    const auto* losses = expected_.view("losses").as<double>();
    const auto* norms = expected_.view("norms").as<double>();
    Errors errors;
    for (std::int64_t s = 0; s < kSteps; ++s) {
      const StepReport report = step.run(batch(s), s);
      errors.loss = std::max(errors.loss, std::abs(report.loss / losses[s] - 1));
      errors.norm = std::max(errors.norm, std::abs(report.gradient_norm / norms[s] - 1));
    }
    const std::vector<double> weight =
        doubles(model.parameters().find("blocks.1.mlp.up.weight")->value);
    const auto* wanted = expected_.view("weight").as<double>();
    for (std::size_t i = 0; i < weight.size(); ++i) {
      errors.weight = std::max(errors.weight, std::abs(weight[i] - wanted[i]));
    }
    return errors;
  }
};

TEST_F(GoldenCurve, IsMatchedInFp64ToRounding) {
  for (const std::int64_t micro_batches : {1, 2}) {
    const Errors errors = train(DType::f64, micro_batches);
    EXPECT_LT(errors.loss, 1e-12);
    EXPECT_LT(errors.norm, 1e-7);  // of fp32 initial weights, the norm's limit + 1e-6
    EXPECT_LT(errors.weight, 1e-7);
  }
}

TEST_F(GoldenCurve, IsMatchedInFp32) {
  const Errors errors = train(DType::f32, 1);
  EXPECT_LT(errors.loss, 2e-6);
  EXPECT_LT(errors.norm, 2e-5);
  EXPECT_LT(errors.weight, 2e-4);
}

}  // namespace
}  // namespace ty::test
