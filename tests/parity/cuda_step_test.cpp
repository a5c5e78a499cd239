// Training steps of a tiny GPT-2 with TTM layers through the CUDA backend's own host code, over
// cards that are not there: what is put into which stream, what waits for what, and how often the
// host waits. Everything runs as late as it may.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/base/error.h"
#include "tests/parity/device_layout.h"
#include "tests/support/fake_gpu/cuda_ranks.h"
#include "tests/support/fake_gpu/fake_nccl.h"

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
const char* const kSmallBuckets = "parallel.bucket_mb=0.01";

const Case kCases[] = {
    {"OneRank", {1, 1, 1}, {kTtm}},
    {"Bf16", {1, 1, 1}, {kTtm, "precision.compute=bf16"}},
    {"Data", {1, 2, 1}, {kTtm, kSmallBuckets}},
    {"DataSharded", {1, 2, 1}, {kTtm, kSmallBuckets, "parallel.zero=1"}},
    {"MicroBatches", {1, 2, 1}, {kTtm, kSmallBuckets, "parallel.microbatches=2"}},
    {"Tensor", {1, 1, 2}, {kTtm}},
    {"Pipeline", {2, 1, 1}, {kTtm, "parallel.microbatches=2"}},
};
constexpr std::size_t kData = 2;  // three cases over data from here on

constexpr std::int64_t kSteps = 2;

struct Course {
  std::vector<double> losses;
  std::vector<std::int64_t> waits;              // of the host, in each step
  std::int64_t last_waits = 0;                  // for the last step's numbers
  std::vector<std::vector<std::string>> tasks;  // of each step, in order
};

Course course_of(const JobConfig& job, Backend& backend, const ty::Layout& layout,
                 const std::function<std::int64_t()>& waits) {
  TrainingSetup setup(job, planned_model(job), backend, layout);
  set_initial_weights(job, setup.model);
  Course course;
  std::optional<PendingStep> pending;
  for (std::int64_t step = 0; step < kSteps; ++step) {
    const HostBatch batch = tiny_batch(step, share_of_batch(kBatch, layout.mesh.data()));
    const std::int64_t before = waits();
    const auto known =
        backend.has_host_memory() ? 0 : FakeGpu::get().issued(FakeGpu::rank()).size();
    PendingStep next = setup.step.start(batch, step);
    course.waits.push_back(waits() - before);
    if (pending) course.losses.push_back(pending->take().loss);
    pending = std::move(next);
    if (backend.has_host_memory()) continue;
    auto tasks = FakeGpu::get().issued(FakeGpu::rank());
    tasks.erase(tasks.begin(), tasks.begin() + static_cast<std::ptrdiff_t>(known));
    course.tasks.push_back(std::move(tasks));
  }
  const std::int64_t before = waits();
  course.losses.push_back(pending->take().loss);
  course.last_waits = waits() - before;
  return course;
}

// On all ranks, by rank.
std::vector<Course> run_on(FakeGpu& gpu, const Case& c) {
  std::vector<Course> courses(static_cast<std::size_t>(c.mesh.size()));
  run_cuda_ranks(gpu, [&](const CudaRank& rank) {
    const JobConfig job = job_of(c.mesh, c.more);
    courses[static_cast<std::size_t>(rank.host.rank())] =
        course_of(job, rank.backend, layout_over(rank.host, rank.device, rank.backend, job, c.mesh),
                  [&] { return rank.backend.host_waits(); });
  });
  return courses;
}

class CudaStep : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Every, CudaStep, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

bool is_collective(const std::string& task) {
  return task.starts_with("all_reduce") || task.starts_with("reduce_scatter");
}

// The host waits for nothing in a step: its loss and norm are read when the next one is on its way.
// No kernel comes before what it needs, and no memory is used again while another stream uses it.
TEST_P(CudaStep, HasTheLossOfTheCpuNoFaultAndNoWait) {
  const Case& c = GetParam();
  const JobConfig plain = job_of({}, c.more);
  const auto cpu = make_reference_backend();
  const Course expected =
      course_of(plain, *cpu, make_layout(plain, Group(), *cpu), [] { return std::int64_t{0}; });
  const bool is_narrow = std::string(c.name) == "Bf16";

  FakeGpu gpu(c.mesh.size());
  const std::vector<Course> courses = run_on(gpu, c);
  EXPECT_EQ(gpu.faults(), std::vector<std::string>());
  EXPECT_EQ(gpu.nccl().alive(), 0);
  for (const Course& course : courses) {
    ASSERT_EQ(course.losses.size(), expected.losses.size());
    for (std::size_t s = 0; s < course.losses.size(); ++s) {
      EXPECT_NEAR(course.losses[s], expected.losses[s], is_narrow ? 2e-2 : 1e-4) << s;
      EXPECT_EQ(course.waits[s], 0) << s;
    }
    EXPECT_GT(course.last_waits, 0);
  }
}

// Reductions begin while backward runs and end before the first weight changes.
class CudaReductions : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(OverData, CudaReductions,
                         testing::Values(kCases[kData], kCases[kData + 1], kCases[kData + 2]),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(CudaReductions, OfAllBucketsComeBeforeTheOptimizer) {
  const Case& c = GetParam();
  ASSERT_EQ(c.mesh.data, 2);
  FakeGpu gpu(c.mesh.size());
  for (const Course& course : run_on(gpu, c)) {
    for (const auto& tasks : course.tasks) {
      const auto optimizer = std::find(tasks.begin(), tasks.end(), "adamw");
      ASSERT_NE(optimizer, tasks.end());
      const auto first = std::find_if(tasks.begin(), tasks.end(), is_collective);
      EXPECT_GE(std::count_if(first, optimizer, is_collective), 3) << "buckets and the loss";
      EXPECT_EQ(std::count_if(optimizer, tasks.end(), is_collective), 0);
      EXPECT_GT(std::count(first, optimizer, "layer_norm_grad"), 0) << "nothing overlaps";
    }
  }
}

// A step that is not finite is found out late, but neither it nor those after it change a weight.
TEST(CudaLateSteps, ChangeNothingOnceOneWasNotFinite) {
  FakeGpu gpu(1);
  run_cuda_ranks(gpu, [](const CudaRank& rank) {
    const JobConfig job = job_of({}, {kTtm});
    TrainingSetup setup(job, planned_model(job), rank.backend,
                        layout_over(rank.host, rank.device, rank.backend, job, {}));
    set_initial_weights(job, setup.model);
    const Tensor weights = setup.model.parameters->weights();
    (void)setup.step.run(tiny_batch(0, {0, kBatch}), 0);
    const std::vector<float> before = weights.values<float>();
    rank.backend.fill(weights.view(), std::nan(""));
    PendingStep bad = setup.step.start(tiny_batch(1, {0, kBatch}), 1);
    rank.backend.write(weights.view(), before.data());
    PendingStep after = setup.step.start(tiny_batch(2, {0, kBatch}), 2);
    EXPECT_THROW((void)bad.take(), NonFiniteError);
    EXPECT_EQ(weights.values<float>(), before);
    EXPECT_TRUE(std::isfinite(after.take().loss));
  });
  EXPECT_EQ(gpu.faults(), std::vector<std::string>());
}

}  // namespace
}  // namespace ty::test
