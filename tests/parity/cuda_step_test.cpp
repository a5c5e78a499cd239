// Training steps of a tiny GPT-2 with TTM layers through the CUDA backend's own host code, over
// cards that are not there: what is put into which stream, what waits for what, and how often the
// host waits. Everything runs as late as it may.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
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
const char* const kFp16 = "precision.compute=fp16";
const char* const kProductDecay = "optim.product_decay=30";
const char* const kNormCap = "optim.factor_norm_cap=0.9";
const char* const kSvd = "linear=[{match: \"blocks.*.mlp.*\", kind: svd, rank: 5}]";
const char* const kBounded = "optim.factor_steps=bounded";
const char* const kSmallBuckets = "parallel.bucket_mb=0.01";

const Case kCases[] = {
    {"OneRank", {1, 1, 1}, {kTtm}},
    {"Bf16", {1, 1, 1}, {kTtm, "precision.compute=bf16"}},
    {"Fp16", {1, 1, 1}, {kTtm, kFp16}},
    {"Data", {1, 2, 1}, {kTtm, kSmallBuckets}},
    {"DataSharded", {1, 2, 1}, {kTtm, kSmallBuckets, "parallel.zero=1"}},
    {"MicroBatches", {1, 2, 1}, {kTtm, kSmallBuckets, "parallel.microbatches=2"}},
    {"Tensor", {1, 1, 2}, {kTtm}},
    {"Pipeline", {2, 1, 1}, {kTtm, "parallel.microbatches=2"}},
    {"ProductDecay", {1, 1, 2}, {kTtm, kProductDecay}},
    {"Bounded", {1, 2, 1}, {kSvd, kBounded, "optim.weight_decay=0.1"}},
    {"NormCap", {1, 1, 2}, {kTtm, kNormCap}},
    {"Bf16NormCap", {1, 1, 1}, {kTtm, kNormCap, "precision.compute=bf16"}},
    {"Bf16ProductDecay", {1, 1, 1}, {kTtm, kProductDecay, "precision.compute=bf16"}},
};
constexpr std::size_t kData = 3;  // three cases over data from here on

struct Course {
  std::vector<double> losses;
  std::vector<std::int64_t> waits;              // of the host, in each step
  std::int64_t last_waits = 0;                  // for the last step's numbers
  std::vector<std::vector<std::string>> tasks;  // of each step, in order
  std::vector<std::int64_t> graphs, made;       // handed over and newly made, in each step
};

std::int64_t sum_of(const std::vector<std::int64_t>& all) {
  return std::accumulate(all.begin(), all.end(), std::int64_t{0});
}

// `cuda` is the backend, if it is one.
Course course_of(const JobConfig& job, Backend& backend, const ty::Layout& layout,
                 std::int64_t steps, const CudaOnFake* cuda = nullptr) {
  const auto waits = [&] { return cuda == nullptr ? 0 : cuda->host_waits(); };
  TrainingSetup setup(job, planned_model(job), backend, layout);
  set_initial_weights(job, setup.model);
  Course course;
  std::optional<PendingStep> pending;
  for (std::int64_t step = 0; step < steps; ++step) {
    const HostBatch batch = tiny_batch(step, share_of_batch(kBatch, layout.mesh.data()));
    const std::int64_t before = waits();
    const auto known = cuda == nullptr ? 0 : FakeGpu::get().issued(FakeGpu::rank()).size();
    PendingStep next = setup.step.start(batch, step);
    course.waits.push_back(waits() - before);
    if (pending) course.losses.push_back(pending->take().loss);
    pending = std::move(next);
    if (cuda == nullptr) continue;
    course.graphs.push_back(cuda->work().graphs() - sum_of(course.graphs));
    course.made.push_back(cuda->work().graphs_made() - sum_of(course.made));
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
std::vector<Course> run_on(FakeGpu& gpu, const Case& c, std::int64_t steps, bool graphs = false) {
  std::vector<Course> courses(static_cast<std::size_t>(c.mesh.size()));
  const auto body = [&](const CudaRank& rank) {
    const JobConfig job = job_of(c.mesh, c.more);
    courses[static_cast<std::size_t>(rank.host.rank())] =
        course_of(job, rank.backend, layout_over(rank.host, rank.device, rank.backend, job, c.mesh),
                  steps, &rank.backend);
  };
  run_cuda_ranks(gpu, body, {.patience_seconds = 60.0}, graphs);
  return courses;
}

constexpr std::int64_t kSteps = 2;

class CudaStep : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Every, CudaStep, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

bool is_collective(const std::string& task) {
  return task.starts_with("all_reduce") || task.starts_with("reduce_scatter");
}

// The host waits for nothing in a step: its loss and norm are read when the next one is on its way.
// With a scaled loss it waits for those of the step before (two numbers, and what kernels noted
// with each), which say how backward begins. No kernel comes before what it needs, and no memory is
// used again while another stream uses it.
TEST_P(CudaStep, HasTheLossOfTheCpuNoFaultAndNoWait) {
  const Case& c = GetParam();
  const JobConfig plain = job_of({}, c.more);
  const auto cpu = make_reference_backend();
  const Course expected = course_of(plain, *cpu, make_layout(plain, Group(), *cpu), kSteps);
  const bool is_scaled = std::string(c.name) == "Fp16";
  const bool is_narrow = is_scaled || std::string(c.name).starts_with("Bf16");

  FakeGpu gpu(c.mesh.size());
  const std::vector<Course> courses = run_on(gpu, c, kSteps);
  EXPECT_EQ(gpu.faults(), std::vector<std::string>());
  EXPECT_EQ(gpu.nccl().alive(), 0);
  for (const Course& course : courses) {
    ASSERT_EQ(course.losses.size(), expected.losses.size());
    for (std::size_t s = 0; s < course.losses.size(); ++s) {
      EXPECT_NEAR(course.losses[s], expected.losses[s], is_narrow ? 2e-2 : 1e-4) << s;
      EXPECT_LE(course.waits[s], is_scaled && s > 0 ? 4 : 0) << s;
    }
    EXPECT_GT(course.last_waits, 0);
  }
}

// Handed over as graphs a step is what it is without: the same numbers, nothing out of order, no
// wait. From the third step on no graph is made anew, though dropout's numbers and the learning
// rate differ. A step whose micro-batches send nothing has two graphs for each.
TEST_P(CudaStep, IsTheSameInGraphs) {
  const Case& c = GetParam();
  constexpr std::int64_t kGraphSteps = 4;
  Case varied = c;
  varied.more.push_back("model.dropout=0.1");
  FakeGpu plain(c.mesh.size());
  const std::vector<Course> expected = run_on(plain, varied, kGraphSteps);
  FakeGpu gpu(c.mesh.size());
  const std::vector<Course> courses = run_on(gpu, varied, kGraphSteps, true);
  EXPECT_EQ(gpu.faults(), std::vector<std::string>());
  for (std::size_t rank = 0; rank < courses.size(); ++rank) {
    const Course& course = courses[rank];
    EXPECT_EQ(course.losses, expected[rank].losses);
    EXPECT_EQ(course.waits, expected[rank].waits);
    EXPECT_EQ(sum_of(expected[rank].graphs), 0);
    EXPECT_GE(course.graphs[3], 2);
    if (c.mesh.size() == 1) {
      EXPECT_EQ(course.graphs[3], 2);
    }
    EXPECT_GT(course.made[0] + course.made[1], 0);
    EXPECT_EQ(course.made[2] + course.made[3], 0);
  }
}

// A product adds its bias in fp32, where that rounds as a kernel of its own would; not in 16 bits.
TEST(CudaProducts, AddABiasWhereThatRoundsAlike) {
  const auto biased_in = [](const char* precision) {
    FakeGpu gpu(1);
    const auto tasks = run_on(gpu, {"", {1, 1, 1}, {precision}}, 1)[0].tasks[0];
    return std::count(tasks.begin(), tasks.end(), "product with bias");
  };
  EXPECT_EQ(biased_in("precision.compute=fp32"), 4 * job_of({}, {}).model.layers)
      << "qkv, out, up and down of each block";
  EXPECT_EQ(biased_in("precision.compute=bf16"), 0);
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
  for (const Course& course : run_on(gpu, c, kSteps)) {
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

// Steps as Trainer takes them: each is asked for its numbers when the next one is on its way.
std::vector<StepReport> reports_of(const JobConfig& job, Backend& backend, const ty::Layout& layout,
                                   std::int64_t steps) {
  TrainingSetup setup(job, planned_model(job), backend, layout);
  set_initial_weights(job, setup.model);
  std::vector<StepReport> reports;
  std::optional<PendingStep> pending;
  for (std::int64_t step = 0; step < steps; ++step) {
    PendingStep next = setup.step.start(tiny_batch(step, {0, kBatch}), step);
    EXPECT_EQ(next.is_late(), !backend.has_host_memory());
    if (pending) reports.push_back(pending->take());
    pending = std::move(next);
  }
  reports.push_back(pending->take());
  return reports;
}

// The device skips steps whose gradients overflow, before the host knows; scales and what the
// optimizer counts are those of the CPU, which decides on the host.
TEST(CudaLateSteps, AreSkippedAsOnTheCpuWhereGradientsOverflow) {
  constexpr std::int64_t kManySteps = 12;
  const JobConfig job = job_of({}, {kTtm, kFp16, "precision.loss_scale=16777216"});
  const auto cpu = make_reference_backend();
  const auto expected = reports_of(job, *cpu, make_layout(job, Group(), *cpu), kManySteps);
  std::vector<StepReport> reports;
  FakeGpu gpu(1);
  run_cuda_ranks(gpu, [&](const CudaRank& rank) {
    reports = reports_of(job, rank.backend,
                         layout_over(rank.host, rank.device, rank.backend, job, {}), kManySteps);
  });
  EXPECT_EQ(gpu.faults(), std::vector<std::string>());
  ASSERT_EQ(reports.size(), expected.size());
  std::int64_t skipped = 0;
  for (std::size_t s = 0; s < reports.size(); ++s) {
    skipped += expected[s].skipped;
    EXPECT_EQ(reports[s].skipped, expected[s].skipped) << s;
    EXPECT_EQ(reports[s].loss_scale, expected[s].loss_scale) << s;
    EXPECT_EQ(reports[s].next_loss_scale, expected[s].next_loss_scale) << s;
    EXPECT_NEAR(reports[s].loss, expected[s].loss, 2e-2) << s;
  }
  EXPECT_GT(skipped, 0);
  EXPECT_LT(skipped, kManySteps - 1) << "no step was taken";
}

}  // namespace
}  // namespace ty::test
