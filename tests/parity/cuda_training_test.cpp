// Jobs on the CUDA backend, emulated, against the same jobs on the CPU. The device's memory is out
// of the host's reach, so whatever touches it other than through the backend ends the test.
#include <gtest/gtest.h>

#include <cmath>

#include "core/backend/cuda/device/cuda_backend.h"
#include "parallel/comm/self/self.h"
#include "tests/parity/tiny_training.h"
#include "tests/support/cuda/device_memory.h"

namespace ty::test {
namespace {

constexpr std::int64_t kSteps = 3;

struct Course {
  std::vector<double> losses, norms, numbers;
};

Course run_on(const JobConfig& job, std::unique_ptr<Backend> backend) {
  const Group world(std::make_shared<SelfCommunicator>());
  TinyRank rank(job, planned_model(job), world, std::move(backend));
  Course course;
  for (std::int64_t step = 0; step < kSteps; ++step) {
    const StepReport report = rank.take_step(step);
    course.losses.push_back(report.loss);
    course.norms.push_back(report.gradient_norm);
  }
  course.numbers = rank.numbers();
  return course;
}

class CudaTraining : public ::testing::Test {
 protected:
  void SetUp() override { cuda::emulated::guard_memory(true); }
  void TearDown() override { cuda::emulated::guard_memory(false); }

  static void expect_same(const config::Overrides& more, double tolerance) {
    const JobConfig job = tiny_job(1, 1, more);
    const Course cpu = run_on(job, nullptr);
    const Course gpu = run_on(job, std::make_unique<cuda::CudaBackend>(cuda::DeviceOptions{}));
    for (std::size_t i = 0; i < cpu.losses.size(); ++i) {
      EXPECT_NEAR(gpu.losses[i], cpu.losses[i], tolerance) << "step " << i;
      EXPECT_NEAR(gpu.norms[i], cpu.norms[i], 10 * tolerance) << "step " << i;
    }
    ASSERT_EQ(gpu.numbers.size(), cpu.numbers.size());
    double worst = 0;
    for (std::size_t i = 0; i < cpu.numbers.size(); ++i) {
      worst = std::max(worst, std::abs(gpu.numbers[i] - cpu.numbers[i]));
    }
    EXPECT_LT(worst, 100 * tolerance);
  }
};

TEST_F(CudaTraining, DenseWithDropoutFollowsTheCpu) { expect_same({"model.dropout=0.1"}, 2e-6); }

TEST_F(CudaTraining, FactorisedLayersFollowTheCpu) {
  expect_same({"model.dropout=0",
               "linear=[{match: \"blocks.*.mlp.*\", kind: ttm, rank: 6}, "
               "{match: \"blocks.*.attn.*\", kind: svd, rank: 5}]"},
              2e-6);
}

TEST_F(CudaTraining, DecayOfProductsFollowsTheCpu) {
  expect_same({"model.dropout=0", "optim.product_decay=30", "optim.clip=0.01",
               "linear=[{match: \"blocks.*.mlp.*\", kind: ttm, rank: 6}, "
               "{match: \"blocks.*.attn.*\", kind: svd, rank: 5}]"},
              2e-6);
}

TEST_F(CudaTraining, CappedFactorsFollowTheCpu) {
  expect_same({"model.dropout=0", "optim.factor_norm_cap=0.8",
               "linear=[{match: \"blocks.*.mlp.*\", kind: ttm, rank: 6}, "
               "{match: \"blocks.*.attn.*\", kind: svd, rank: 5}]"},
              2e-6);
}

TEST_F(CudaTraining, BoundedStepsFollowTheCpu) {
  expect_same({"model.dropout=0", "optim.factor_steps=bounded", "optim.clip=0.01",
               "linear=[{match: \"blocks.*\", kind: svd, rank: 5}]"},
              2e-6);
}

TEST_F(CudaTraining, Bf16FollowsTheCpu) {
  expect_same({"model.dropout=0", "precision.compute=bf16"}, 2e-2);
}

}  // namespace
}  // namespace ty::test
