// The executor on stages that only add, over ranks that are threads.
#include "parallel/pipeline/executor.h"

#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <thread>

#include "core/backend/backend.h"
#include "core/base/error.h"
#include "parallel/comm/threads/threads.h"
#include "parallel/pipeline/schedules.h"
#include "parallel/pipeline/simulate.h"
#include "parallel/pipeline/validate.h"
#include "tests/support/messages.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

// Every virtual stage adds 1 on the way down and 100 on the way up; micro-batch m enters as 10 m
// and its gradient as 1000 m.
class Adding final : public Stage {
 public:
  Adding(Backend& backend, const PipeShape& shape, int stage)
      : backend_(backend), shape_(shape), stage_(stage) {}
  std::vector<TensorForm> boundary(int, int micro_batch) const override {
    return {{{2 + micro_batch}, DType::f64}};
  }
  Tensors forward(int chunk, int m, Tensors in) override {
    const double value = in.empty() ? 10.0 * m : value_of(in, m);
    alive = std::max(alive, ++alive_now_);
    if (shape_.is_last(stage_, chunk)) {
      ends[m] = value + 1;
      return {};
    }
    return {of(value + 1, m)};
  }
  void recompute(int, int) override { ++recomputed; }
  Tensors backward(int chunk, int m, Tensors gradients) override {
    std::this_thread::sleep_for(delay);
    const double value = gradients.empty() ? 1000.0 * m : value_of(gradients, m);
    --alive_now_;
    if (shape_.virtual_stage(stage_, chunk) == 0) {
      ends[m] = value + 100;
      return {};
    }
    return {of(value + 100, m)};
  }

  std::map<int, double> ends;  // what came out, by micro-batch
  int recomputed = 0, alive = 0;
  std::chrono::microseconds delay{0};

 private:
  Tensor of(double value, int m) { return Tensor::full(backend_, {2 + m}, DType::f64, value); }
  double value_of(const Tensors& in, int m) {
    EXPECT_EQ(in.size(), 1u);
    EXPECT_EQ(in[0].shape(), Shape({2 + m}));
    return doubles(in[0]).back();
  }

  Backend& backend_;
  PipeShape shape_;
  int stage_;
  int alive_now_ = 0;
};

TEST(Executor, BringsEveryMicroBatchThroughAllStagesAndBack) {
  using enum PipelineSchedule;
  for (const PipelineSchedule schedule : {gpipe, one_f_one_b, interleaved, varuna}) {
    for (const auto order : {ExecutionOrder::listed, ExecutionOrder::work_conserving}) {
      for (const bool recompute : {false, true}) {
        const int chunks = schedule == interleaved ? 3 : 1;
        const Program program = make_program(schedule, {4, 8, chunks, recompute});
        run_ranks(4, [&](const Group& world) {
          const auto backend = make_reference_backend();
          Adding stage(*backend, program.shape, world.rank());
          std::vector<Span> spans;
          execute(program, stage, world, *backend,
                  {.order = order, .on_span = [&](const Span& s) { spans.push_back(s); }});
          for (int m = 0; m < 8; ++m) {
            if (world.rank() == 3) {
              EXPECT_EQ(stage.ends[m], 10.0 * m + 4 * chunks);
            } else if (world.rank() == 0) {
              EXPECT_EQ(stage.ends[m], 1000.0 * m + 400 * chunks);
            }
          }
          const auto& listed = program.stages[static_cast<std::size_t>(world.rank())];
          EXPECT_EQ(spans.size(), listed.size());
          EXPECT_LE(stage.alive, peak_alive(program, world.rank()));
          const bool ends = world.rank() == 3 && chunks == 1 && schedule != gpipe;
          EXPECT_EQ(stage.recomputed > 0, recompute && !ends);
          for (std::size_t i = 0; i < spans.size(); ++i) {
            EXPECT_LE(spans[i].begin, spans[i].end);
            if (order == ExecutionOrder::listed) {
              EXPECT_EQ(spans[i].action, listed[i]);
            }
          }
        });
      }
    }
  }
}

TEST(Executor, SaysWhereInItsProgramAStageWasThatLostAnother) {
  const Program program = make_program(PipelineSchedule::one_f_one_b, {2, 3});
  const std::string said = message_of<CommError>([&] {
    run_ranks(2, [&](const Group& world) {
      if (world.rank() == 1) return;  // ends without a word
      const auto backend = make_reference_backend();
      Adding stage(*backend, program.shape, 0);
      execute(program, stage, world, *backend);
    });
  });
  EXPECT_NE(said.find("(stage 1 of 2, at F1 F2 [B1] F3 B2 B3)"), std::string::npos) << said;
}

}  // namespace
}  // namespace ty::test
