// Whole training steps on cards that are not there (tests/support/fake_gpu), over NCCL's calls: the
// loss of one rank in every layout, and nothing that would have gone wrong on a card.
#include <gtest/gtest.h>

#include "parallel/comm/self/self.h"
#include "tests/parity/device_layout.h"
#include "tests/support/fake_gpu/fake_nccl.h"
#include "tests/support/fake_gpu/fake_ranks.h"

namespace ty::test {
namespace {

struct Case {
  const char* name;
  MeshShape mesh;
  config::Overrides more = {};
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

const char* const kTtm =
    "linear=[{match: \"*\", kind: dense}, {match: \"blocks.*.mlp.*\", kind: ttm, rank: 6}]";

const Case kCases[] = {
    {"Data", {1, 2, 1}},
    {"DataSharded", {1, 2, 1}, {"parallel.zero=1", "parallel.bucket_mb=0.01"}},
    {"Tensor", {1, 1, 2}},
    {"TensorSequence", {1, 1, 2}, {"parallel.sequence=true"}},
    {"Pipeline", {2, 1, 1}, {"parallel.microbatches=4"}},
    {"PipelineAllForwardFirst", {2, 1, 1}, {"parallel.microbatches=4", "parallel.schedule=gpipe"}},
    {"Factors", {1, 2, 1}, {kTtm, "parallel.microbatches=2"}},
    {"PipelineAndTensor", {2, 1, 2}, {"parallel.microbatches=2", kTtm}},
};

constexpr std::int64_t kSteps = 3;

std::vector<double> losses_of(const JobConfig& job, Backend& backend, const ty::Layout& layout) {
  TrainingSetup setup(job, planned_model(job), backend, layout);
  set_initial_weights(job, setup.model);
  std::vector<double> losses;
  for (std::int64_t step = 1; step <= kSteps; ++step) {
    const HostBatch batch = tiny_batch(step, share_of_batch(kBatch, layout.mesh.data()));
    losses.push_back(setup.step.run(batch, step).loss);
  }
  return losses;
}

class DeviceParallel : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Every, DeviceParallel, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(DeviceParallel, HasTheLossOfOneRankAndNoFault) {
  const Case& c = GetParam();
  const JobConfig serial = job_of({}, c.more);
  JobConfig plain = serial;
  plain.parallel.sequence = false;
  const auto backend = make_reference_backend();
  const std::vector<double> expected =
      losses_of(plain, *backend, make_layout(plain, Group(), *backend));

  FakeGpu gpu(c.mesh.size());
  run_fake_ranks(c.mesh.size(), [&](const FakeRank& rank) {
    const JobConfig job = job_of(c.mesh, c.more);
    const std::vector<double> losses = losses_of(
        job, rank.backend, layout_over(rank.host, rank.device, rank.backend, job, c.mesh));
    for (std::size_t s = 0; s < losses.size(); ++s) EXPECT_NEAR(losses[s], expected[s], 1e-4) << s;
  });
  EXPECT_EQ(gpu.faults(), std::vector<std::string>());
  EXPECT_FALSE(gpu.nccl().record().empty());
  EXPECT_EQ(gpu.nccl().alive(), 0);
}

}  // namespace
}  // namespace ty::test
