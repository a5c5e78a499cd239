// Simulated time: latency, jitter, and execution that does not wait where it need not.
#include "parallel/pipeline/simulate.h"

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "parallel/pipeline/schedules.h"

namespace ty::test {
namespace {

using enum PipelineSchedule;

struct Column {
  const char* name;
  PipelineSchedule schedule;
  ExecutionOrder order;
  RecomputeStart recompute;
};

double mean_ticks(const Column& column, double message, double jitter) {
  const Program program =
      make_program(column.schedule, {.stages = 8, .micro_batches = 32, .recompute = true});
  PipeCosts costs = uniform_costs(program.shape);
  costs.message = message;
  costs.jitter = jitter;
  const int seeds = jitter == 0.0 ? 1 : 30;
  double sum = 0.0;
  for (int seed = 1; seed <= seeds; ++seed) {
    costs.seed = static_cast<std::uint64_t>(seed);
    sum += simulate(program, costs, column.order, column.recompute, 32).seconds();
  }
  return sum / seeds;
}

// With no more alive than the list itself has, work-conserving execution still beats it.
TEST(Simulation, NeedsNoMoreMemoryToBeatTheList) {
  const Program program = ty::varuna({.stages = 8, .micro_batches = 32, .recompute = true});
  PipeCosts costs = uniform_costs(program.shape);
  for (const auto& [message, jitter] :
       {std::pair(0.5, 0.0), std::pair(1.0, 0.0), std::pair(0.25, 0.5), std::pair(0.5, 1.0)}) {
    costs.message = message;
    costs.jitter = jitter;
    EXPECT_LT(simulate(program, costs, ExecutionOrder::work_conserving).seconds(),
              simulate(program, costs).seconds())
        << message << " " << jitter;
  }
}

TEST(Simulation, HasThePublishedTimesUnderLatencyAndJitter) {
  const Column columns[] = {
      {"varuna", varuna, ExecutionOrder::listed, RecomputeStart::eager},
      {"varuna, work-conserving", varuna, ExecutionOrder::work_conserving, RecomputeStart::eager},
      {"gpipe", gpipe, ExecutionOrder::listed, RecomputeStart::eager},
      {"1f1b", one_f_one_b, ExecutionOrder::listed, RecomputeStart::eager},
      {"1f1b, lazy", one_f_one_b, ExecutionOrder::listed, RecomputeStart::lazy}};
  const struct {
    double message, jitter;
    double ticks[5];
  } rows[] = {{0, 0, {147, 147, 148, 147, 156}},
              {0.5, 0, {164, 154, 155, 154, 190}},
              {1.0, 0, {181, 159, 162, 187, 224}},
              {0.25, 0.5, {173, 158, 166, 173, 206}},
              {0.5, 1.0, {199, 169, 184, 222, 256}}};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < 5; ++i) {
      const double got = mean_ticks(columns[i], row.message, row.jitter);
      EXPECT_NEAR(got, row.ticks[i], 0.02 * row.ticks[i])
          << columns[i].name << " with latency " << row.message << ", jitter " << row.jitter;
    }
  }
}

// Random costs, latencies and jitter: all programs end, in work-conserving order too, and each
// stage does what its list holds.
TEST(Simulation, RunsEveryProgramToItsEnd) {
  const RandomStream draws(3, site_id("costs"));
  std::uint64_t at = 0;
  const auto draw = [&](double most) { return most * uniform_open(draws.word(0, at++)); };
  for (int trial = 0; trial < 300; ++trial) {
    const auto schedule = static_cast<PipelineSchedule>(trial % 4);
    const int p = 1 + trial % 5, chunks = schedule == interleaved ? 1 + trial % 3 : 1;
    const Program program =
        make_program(schedule, {p, p * (1 + trial % 4), chunks, trial % 2 == 1});
    PipeCosts costs;
    for (int k = 0; k < program.shape.virtual_stages(); ++k) {
      costs.virtual_stages.push_back({0.1 + draw(2), draw(2), 0.1 + draw(4)});
    }
    costs.message = draw(2);
    costs.jitter = draw(3);
    for (const auto order : {ExecutionOrder::listed, ExecutionOrder::work_conserving}) {
      const Timeline timeline = simulate(program, costs, order);
      for (std::size_t s = 0; s < timeline.stages.size(); ++s) {
        const auto& spans = timeline.stages[s];
        EXPECT_EQ(spans.size(), program.stages[s].size());
        for (std::size_t i = 1; i < spans.size(); ++i) EXPECT_GE(spans[i].begin, spans[i - 1].end);
      }
      EXPECT_GE(timeline.bubble(), 0.0);
      EXPECT_LT(timeline.bubble(), 1.0);
    }
  }
}

}  // namespace
}  // namespace ty::test
