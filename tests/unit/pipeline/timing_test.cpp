// Real time beside simulated time, on stages that sleep instead of computing: so that two cores can
// show what four stages do.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <optional>
#include <thread>

#include "core/backend/backend.h"
#include "core/base/random.h"
#include "parallel/comm/threads/threads.h"
#include "parallel/pipeline/executor.h"
#include "parallel/pipeline/schedules.h"
#include "parallel/pipeline/simulate.h"
#include "parallel/pipeline/validate.h"

namespace ty::test {
namespace {

using enum PipelineSchedule;

constexpr double kSlot = 4e-3;  // seconds

// A group whose messages arrive late: by a constant and a half-normal number of slots.
class LateCommunicator final : public Communicator {
 public:
  LateCommunicator(const Group& inner, double slots, double jitter)
      : Communicator(inner.rank(), inner.size()), inner_(inner), slots_(slots), jitter_(jitter) {}

 private:
  using Clock = std::chrono::steady_clock;
  class Late final : public Work::State {
   public:
    Late(Work work, double seconds) : work_(std::move(work)), seconds_(seconds) {}
    bool test() override {
      if (!work_.test()) return false;
      if (!arrived_)
        arrived_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(seconds_);
      return Clock::now() >= *arrived_;
    }
    void wait(double) override {
      while (!test()) std::this_thread::sleep_for(std::chrono::microseconds(50));
    }

   private:
    Work work_;
    std::chrono::duration<double> seconds_;
    std::optional<Clock::time_point> arrived_;
  };
  Work do_receive(const View& x, int peer, int tag) override {
    const RandomStream stream(7, site_id("late"), static_cast<std::uint64_t>(rank()));
    const double late = slots_ + jitter_ * std::abs(normal(stream, count_++, 0));
    return {std::make_unique<Late>(inner_.receive(x, peer, tag), kSlot * late), 100.0};
  }
  Work do_send(const View& x, int peer, int tag) override { return inner_.send(x, peer, tag); }
  Work do_all_reduce(const View& x, ReduceOp op) override { return inner_.all_reduce(x, op); }
  Work do_all_gather(const View& all, const View& own) override {
    return inner_.all_gather(all, own);
  }
  Work do_reduce_scatter(const View& own, const View& all, ReduceOp op) override {
    return inner_.reduce_scatter(own, all, op);
  }
  Work do_broadcast(const View& x, int root) override { return inner_.broadcast(x, root); }
  void do_barrier() override { inner_.barrier(); }
  std::shared_ptr<Communicator> do_split(int, int) override { return nullptr; }

  Group inner_;
  double slots_, jitter_;
  std::uint64_t count_ = 0;
};

// Takes its time and sends next to nothing.
class Sleeping final : public Stage {
 public:
  Sleeping(Backend& backend, const PipeShape& shape, int stage)
      : backend_(backend), shape_(shape), stage_(stage) {}
  std::vector<TensorForm> boundary(int, int) const override { return {{{1}, DType::f32}}; }
  Tensors forward(int chunk, int, Tensors) override {
    most_alive = std::max(most_alive, ++alive_);
    sleep(1);
    if (shape_.is_last(stage_, chunk)) return {};
    return {Tensor::full(backend_, {1}, DType::f32, 0.0)};
  }
  void recompute(int, int) override { sleep(1); }
  Tensors backward(int chunk, int, Tensors) override {
    sleep(2);
    --alive_;
    if (shape_.virtual_stage(stage_, chunk) == 0) return {};
    return {Tensor::full(backend_, {1}, DType::f32, 0.0)};
  }
  int most_alive = 0;

 private:
  static void sleep(double slots) {
    std::this_thread::sleep_for(std::chrono::duration<double>(kSlot * slots));
  }

  Backend& backend_;
  PipeShape shape_;
  int stage_;
  int alive_ = 0;
};

struct Measured {
  Timeline timeline;
  std::vector<int> most_alive;
};

// `late`, `jitter`: of messages, in slots.
Measured run(const Program& program, ExecutionOrder order, double late, double jitter) {
  const auto stages = static_cast<std::size_t>(program.shape.stages);
  Measured measured = {{program.shape, std::vector<std::vector<Span>>(stages)},
                       std::vector<int>(stages)};
  run_ranks(program.shape.stages, [&](const Group& world) {
    const auto own = static_cast<std::size_t>(world.rank());
    const auto backend = make_reference_backend();
    Sleeping stage(*backend, program.shape, world.rank());
    const Group links(std::make_shared<LateCommunicator>(world, late, jitter));
    world.barrier();
    execute(program, stage, links, *backend, {.order = order, .on_span = [&](const Span& span) {
                                                measured.timeline.stages[own].push_back(span);
                                              }});
    measured.most_alive[own] = stage.most_alive;
  });
  double first = 1e300;
  for (const auto& spans : measured.timeline.stages) first = std::min(first, spans[0].begin);
  for (auto& spans : measured.timeline.stages) {
    for (Span& span : spans) span = {span.action, span.begin - first, span.end - first};
  }
  return measured;
}

// The mean of what a stage's actions of each kind took.
PipeCosts profile_of(const Timeline& timeline) {
  PipeCosts costs;
  for (const auto& spans : timeline.stages) {
    double sums[3] = {}, counts[3] = {};
    for (const Span& span : spans) {
      sums[static_cast<int>(span.action.kind)] += span.end - span.begin;
      counts[static_cast<int>(span.action.kind)] += 1;
    }
    costs.virtual_stages.push_back(
        {sums[0] / counts[0], counts[1] > 0 ? sums[1] / counts[1] : 0.0, sums[2] / counts[2]});
  }
  return costs;
}

// What else the machine does delays some runs: one of five is enough.
constexpr int kTries = 5;

TEST(PipelineTiming, BubbleIsWhatSimulationMakesOfTheRunsOwnProfile) {
  for (const int stages : {2, 3, 4}) {
    for (const PipelineSchedule schedule : {gpipe, one_f_one_b, varuna}) {
      const Program program = make_program(schedule, {stages, 6, 1, schedule == varuna});
      double got = 0, wanted = 0;
      for (int i = 0; i < kTries && (i == 0 || std::abs(got - wanted) > 0.1 * wanted); ++i) {
        const Timeline measured = run(program, ExecutionOrder::listed, 0, 0).timeline;
        got = measured.bubble();
        wanted = simulate(program, profile_of(measured)).bubble();
      }
      EXPECT_NEAR(got, wanted, 0.1 * wanted) << name_of(schedule) << " " << stages;
    }
  }
}

TEST(PipelineTiming, OneForwardOneBackwardKeepsFewMicroBatchesAlive) {
  const Measured measured = run(make_program(one_f_one_b, {4, 8}), ExecutionOrder::listed, 0, 0);
  EXPECT_EQ(measured.most_alive, (std::vector<int>{4, 3, 2, 1}));
}

// Messages are late again and again: by 0.5 slots, and up to some more.
TEST(PipelineTiming, StagesThatDoNotWaitBeatThoseThatDoAsSimulated) {
  const PipeShape shape = {.stages = 4, .micro_batches = 12, .recompute = true};
  const Program by_turns = make_program(one_f_one_b, shape),
                of_varuna = make_program(varuna, shape);
  PipeCosts costs = uniform_costs(shape);
  costs.message = 0.5;
  costs.jitter = 1.0;
  const double listed = run(by_turns, ExecutionOrder::listed, 0.5, 1.0).timeline.seconds();
  const double conserving =
      run(of_varuna, ExecutionOrder::work_conserving, 0.5, 1.0).timeline.seconds();
  const double simulated = simulate(of_varuna, costs, ExecutionOrder::work_conserving).seconds() /
                           simulate(by_turns, costs).seconds();
  EXPECT_LT(simulated, 0.93);
  EXPECT_LT(conserving / listed, 0.96);
  EXPECT_NEAR(conserving / listed, simulated, 0.1);
}

}  // namespace
}  // namespace ty::test
