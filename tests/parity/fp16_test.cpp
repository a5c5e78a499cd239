// Training in fp16: close to fp32 in every layout, and the same steps are skipped on all ranks.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "core/autograd/graph.h"
#include "core/base/error.h"
#include "launch/run/checkpointing.h"
#include "parallel/comm/threads/threads.h"
#include "tests/parity/tiny_training.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

const char* const kFp16 = "precision.compute=fp16";
// Overflows: 96 targets weigh 1/96 each, and fp16 ends at 65504.
const char* const kHugeScale = "precision.loss_scale=16777216";

struct Case {
  std::string name;
  int data = 1, tensor = 1;
  config::Overrides more = {};

  friend std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }
};

struct Curve {
  std::vector<double> losses, scales;
  std::vector<bool> skipped;
  friend bool operator==(const Curve&, const Curve&) = default;

  void add(const StepReport& report) {
    losses.push_back(report.loss);
    scales.push_back(report.loss_scale);
    skipped.push_back(report.skipped);
  }
  std::int64_t skips() const { return std::count(skipped.begin(), skipped.end(), true); }
};

// Calls each(rank, report, step) after each step; rank 0's curve, which all ranks must share.
template <typename Each>
Curve train(const Case& c, std::int64_t steps, Each each) {
  std::vector<Curve> curves(static_cast<std::size_t>(c.data * c.tensor));
  const JobConfig job = tiny_job(c.data, c.tensor, c.more);
  run_ranks(c.data * c.tensor, [&](const Group& world) {
    TinyRank rank(job, world);
    for (std::int64_t step = 0; step < steps; ++step) {
      const StepReport report = rank.take_step(step);
      curves[static_cast<std::size_t>(world.rank())].add(report);
      each(rank, report, step);
    }
  });
  for (const Curve& curve : curves) EXPECT_EQ(curve, curves[0]) << c.name;
  return curves[0];
}
Curve train(const Case& c, std::int64_t steps) {
  return train(c, steps, [](const TinyRank&, const StepReport&, std::int64_t) {});
}

std::vector<Case> cases() {
  const config::Overrides sgd = {"optim={name: sgd, momentum: 0.9, lr: 0.1}"};
  const config::Overrides mixed = {
      "linear=[{match: \"*.mlp.up\", kind: svd, rank: 6}, {match: \"*.attn.qkv\", kind: ttm, in: "
      "[12, 2], out: [12, 6], rank: 4}]"};
  return {{"1x1", 1, 1},
          {"2x1", 2, 1},
          {"1x2", 1, 2},
          {"2x2", 2, 2},
          {"1x1_sgd", 1, 1, sgd},
          {"2x2_sgd", 2, 2, sgd},
          {"2x2_mixed", 2, 2, mixed},
          {"2x1_zero_parts", 2, 1, {"parallel.zero=1", "parallel.microbatches=2"}},
          {"2x1_canonical", 2, 1, {"parallel.reduction=canonical"}},
          {"1x2_rows_recompute", 1, 2, {"parallel.sequence=true", "parallel.recompute=block"}}};
}

class Fp16 : public testing::TestWithParam<Case> {};

// Half a percent, or as much of a nat: fp16 has 11 bits, and rounding errors of one step move the
// next one's weights.
TEST_P(Fp16, LowersTheLossAsFp32Does) {
  Case half = GetParam(), alone = GetParam();
  half.more.emplace_back(kFp16);
  alone.data = alone.tensor = 1;
  std::erase_if(alone.more, [](const std::string& key) { return key.starts_with("parallel."); });
  const Curve wanted = train(alone, 40), got = train(half, 40);
  EXPECT_LT(got.losses.back(), 0.8 * got.losses.front());
  for (std::size_t i = 0; i < got.losses.size(); ++i) {
    EXPECT_NEAR(got.losses[i], wanted.losses[i], 5e-3 * std::max(1.0, wanted.losses[i]))
        << "step " << i;
  }
  EXPECT_EQ(wanted.scales, std::vector<double>(40, 0.0));
  EXPECT_EQ(got.scales[0], 65536.0);
}

TEST_P(Fp16, SkipsTheSameStepsOnAllRanksAndLeavesTheirNumbersAlone) {
  Case c = GetParam();
  c.more.emplace_back(kFp16);
  c.more.emplace_back(kHugeScale);
  std::vector<std::vector<double>> before(static_cast<std::size_t>(c.data * c.tensor));
  const Curve curve =
      train(c, 40, [&](const TinyRank& rank, const StepReport& report, std::int64_t step) {
        std::vector<double>& last =
            before[static_cast<std::size_t>(rank.layout.mesh.world().rank())];
        std::vector<double> now = rank.numbers();
        EXPECT_TRUE(std::isfinite(report.loss));
        EXPECT_EQ(std::isfinite(report.gradient_norm), !report.skipped);
        EXPECT_EQ(report.next_loss_scale, report.loss_scale * (report.skipped ? 0.5 : 1.0));
        if (step > 0) {
          EXPECT_EQ(now == last, report.skipped) << "step " << step;
        }
        last = std::move(now);
      });
  EXPECT_TRUE(curve.skipped[0] && curve.skipped[1]);
  EXPECT_LT(curve.skips(), 12);
  EXPECT_LT(curve.losses.back(), 0.85 * curve.losses.front());
}

INSTANTIATE_TEST_SUITE_P(Layouts, Fp16, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

// The optimizer takes the steps that a run takes which begins with the first good one.
TEST(Fp16Run, StepsThatAreSkippedDoNotCountInTheOptimizer) {
  TinyRank rank(tiny_job(1, 1, {kFp16, kHugeScale}), Group());
  std::int64_t skips = 0;
  while (rank.take_step(skips).skipped) ++skips;
  ASSERT_GT(skips, 0);
  const auto scale = static_cast<std::int64_t>(rank.setup.step.loss_scale().factor());
  TinyRank fresh(tiny_job(1, 1, {kFp16, fmt::format("precision.loss_scale={}", scale)}), Group());
  fresh.setup.step.run(rank.batch(skips), 0);
  EXPECT_EQ(fresh.numbers(), rank.numbers());
  rank.take_step(skips + 1);
  fresh.setup.step.run(rank.batch(skips + 1), 1);
  EXPECT_EQ(fresh.numbers(), rank.numbers());
}

// Cross-entropy whose gradient is a billion times too large where and when it is told.
class Amplified final : public Objective {
 public:
  bool is_on = false;

  std::int64_t targets(const HostBatch& batch) const override { return real_->targets(batch); }
  Tensor loss(const Tensor& logits, const SharedVocabulary& vocabulary, const Batch& batch,
              std::int64_t first) const override {
    const Tensor loss = real_->loss(logits, vocabulary, batch, first);
    if (!is_on) return loss;
    return record("amplified", loss.to(loss.dtype()), {loss}, [](const Tensor& dy) {
      const Tensor large = dy.to(dy.dtype());
      large.backend().axpby(large.view(), 1e9, dy.view(), 0.0);
      return Grads{large};
    });
  }

 private:
  std::unique_ptr<Objective> real_ = cross_entropy_objective();
};

TrainingStep step_with(const Objective& objective, TrainingSetup& setup, double scale) {
  return {*setup.model.model,
          objective,
          *setup.model.parameters,
          *setup.optimizer,
          setup.reducer,
          {.schedule = {.peak = 1e-3, .steps = 10}, .loss_scale = LossScale(scale)}};
}

TEST(Fp16Run, AnOverflowOfOneRankSkipsTheStepOfAll) {
  for (const int culprit : {0, 1, 3}) {
    run_ranks(4, [&](const Group& world) {
      TinyRank rank(tiny_job(2, 2, {kFp16}), world);
      Amplified objective;
      TrainingStep step = step_with(objective, rank.setup, 64.0);
      for (std::int64_t s = 0; s < 4; ++s) {
        objective.is_on = s == 2 && world.rank() == culprit;
        const auto before = rank.numbers();
        const StepReport report = step.run(rank.batch(s), s);
        EXPECT_EQ(report.skipped, s == 2) << "rank " << world.rank() << ", step " << s;
        EXPECT_EQ(rank.numbers() == before, s == 2);
      }
      EXPECT_EQ(step.loss_scale().factor(), 32.0);
    });
  }
}

std::string failure_of(TrainingStep& step, const HostBatch& batch) {
  try {
    step.run(batch, 0);
  } catch (const NonFiniteError& e) {
    return e.what();
  }
  return "";
}

TEST(Fp16Run, AnOverflowThatNoSmallerScaleCanHelpIsAnError) {
  TinyRank rank(tiny_job(1, 1, {kFp16}), Group());
  Amplified objective;
  objective.is_on = true;
  TrainingStep step = step_with(objective, rank.setup, 4.0);
  EXPECT_TRUE(step.run(rank.batch(0), 0).skipped);
  EXPECT_TRUE(step.run(rank.batch(0), 1).skipped);
  const auto before = rank.numbers();
  const std::string text = failure_of(step, rank.batch(0));
  EXPECT_NE(text.find(" at loss scale 1, all weights are finite"), std::string::npos) << text;
  EXPECT_EQ(rank.numbers(), before);
}

TEST(Fp16Run, ALossThatIsNotFiniteIsAnErrorAtAnyScale) {
  TinyRank rank(tiny_job(1, 1, {kFp16}), Group());
  rank.backend->fill(rank.setup.model.parameters->weights().view(), NAN);
  rank.setup.model.parameters->refresh_model();
  const std::string text = failure_of(rank.setup.step, rank.batch(0));
  EXPECT_NE(text.find("nan: weight embeddings.token.weight is not finite"), std::string::npos)
      << text;
  EXPECT_EQ(rank.setup.step.loss_scale().factor(), 65536.0);
}

TEST(Fp16Run, ResumesToTheBitWithItsScale) {
  const TempDir temp;
  constexpr std::int64_t kMiddle = 8, kSteps = 14;
  const JobConfig job = tiny_job(2, 2, {kFp16, kHugeScale, "parallel.zero=1"});
  std::vector<Curve> whole(4), resumed(4);
  std::vector<std::vector<double>> numbers(4);
  std::vector<LossScale::State> states(4);
  const auto context = [&](const TinyRank& rank) {
    return CheckpointContext{.directory = temp / "",
                             .run_id = "run",
                             .mesh = rank.layout.mesh,
                             .tokenizer_directory = {},
                             .sharded = true};
  };
  run_ranks(4, [&](const Group& world) {
    const auto own = static_cast<std::size_t>(world.rank());
    TinyRank rank(job, world);
    for (std::int64_t step = 0; step < kSteps; ++step) {
      if (step == kMiddle) {
        const SaveOutcome saved = save_checkpoint(context(rank), rank.setup, {.step = kMiddle});
        EXPECT_EQ(saved.error + saved.warning, "");
      }
      const StepReport report = rank.take_step(step);
      if (step >= kMiddle) whole[own].add(report);
    }
    rank.setup.reducer.gather_weights();
    numbers[own] = rank.numbers();
    states[own] = rank.setup.step.loss_scale().state();
  });
  const Checkpoint checkpoint = {kMiddle, temp / "step-8"};
  const auto stored = read_manifest(checkpoint).fields.at("loss_scale");
  EXPECT_EQ(stored.at("scale"), states[0].scale);
  EXPECT_EQ(stored.at("good_steps").get<std::int64_t>(), states[0].good_steps - 6);
  EXPECT_GT(stored.at("skipped_steps").get<std::int64_t>(), 1);
  run_ranks(4, [&](const Group& world) {
    const auto own = static_cast<std::size_t>(world.rank());
    TinyRank rank(job, world);
    restore_checkpoint(context(rank), checkpoint, rank.setup);
    for (std::int64_t step = kMiddle; step < kSteps; ++step) {
      resumed[own].add(rank.take_step(step));
    }
    rank.setup.reducer.gather_weights();
    EXPECT_EQ(resumed[own], whole[own]);
    EXPECT_EQ(rank.numbers(), numbers[own]);
    EXPECT_EQ(rank.setup.step.loss_scale().state(), states[own]);
  });
}

}  // namespace
}  // namespace ty::test
