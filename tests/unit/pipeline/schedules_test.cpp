// Schedules against published charts and closed forms, in slots: F = 1, R = 1, B = 2, sends free.
#include "parallel/pipeline/schedules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "parallel/pipeline/draw.h"
#include "parallel/pipeline/program_text.h"
#include "parallel/pipeline/simulate.h"
#include "parallel/pipeline/validate.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

using enum PipelineSchedule;

PipeShape recomputing(int stages, int micro_batches, int chunks = 1) {
  return {.stages = stages, .micro_batches = micro_batches, .chunks = chunks, .recompute = true};
}

int ticks(const Program& program, RecomputeStart start = RecomputeStart::eager) {
  const Timeline timeline =
      simulate(program, uniform_costs(program.shape), ExecutionOrder::listed, start);
  EXPECT_EQ(timeline.seconds(), std::round(timeline.seconds()));
  return static_cast<int>(timeline.seconds());
}

std::string list_of(const Program& program, int stage) {
  std::string text;
  for (const Action& action : program.stages[static_cast<std::size_t>(stage)]) {
    text += (text.empty() ? "" : " ") + to_string(action, program.shape);
  }
  return text;
}

TEST(Varuna, DrawsThePublishedChart) {
  const Program program = ty::varuna(recomputing(4, 5));
  EXPECT_EQ(
      draw_text(simulate(program, uniform_costs(program.shape), ExecutionOrder::listed,
                         RecomputeStart::timely)),
      "S4 -- -- -- F1 B1 .1 F2 B2 .2 F3 B3 .3 -- -- -- F4 B4 .4 F5 B5 .5 -- -- -- -- -- --\n"
      "S3 -- -- F1 F2 F3 R1 B1 .1 R2 B2 .2 R3 B3 .3 F4 F5 -- R4 B4 .4 R5 B5 .5 -- -- -- --\n"
      "S2 -- F1 F2 F3 F4 F5 -- R1 B1 .1 R2 B2 .2 R3 B3 .3 -- -- -- R4 B4 .4 R5 B5 .5 -- --\n"
      "S1 F1 F2 F3 F4 F5 -- -- -- -- R1 B1 .1 R2 B2 .2 R3 B3 .3 -- -- -- R4 B4 .4 R5 B5 .5\n");
}

TEST(Varuna, HasThePublishedListsAndTicks) {
  const Program two = ty::varuna(recomputing(2, 3));
  EXPECT_EQ(list_of(two, 0), "F1 F2 F3 R1 B1 R2 B2 R3 B3");
  EXPECT_EQ(list_of(two, 1), "F1 B1 F2 B2 F3 B3");
  EXPECT_EQ(ticks(two), 12);
  const Program three = ty::varuna(recomputing(3, 4));
  EXPECT_EQ(list_of(three, 1), "F1 F2 F3 R1 B1 R2 B2 R3 B3 F4 R4 B4");
  EXPECT_EQ(ticks(three), 21);
  const Program four = ty::varuna(recomputing(4, 8));
  EXPECT_EQ(list_of(four, 2),
            "F1 F2 F3 R1 B1 R2 B2 R3 B3 F4 F5 F6 R4 B4 R5 B5 R6 B6 F7 F8 R7 B7 R8 B8");
  EXPECT_EQ(ticks(four), 39);
  EXPECT_EQ(ticks(ty::varuna(recomputing(4, 5))), 27);
}

TEST(GPipe, RunsAllForwardsFirst) {
  EXPECT_EQ(list_of(ty::gpipe(recomputing(2, 3)), 0), "F1 F2 F3 R3 B3 R2 B2 R1 B1");
  EXPECT_EQ(list_of(ty::gpipe(recomputing(2, 3)), 1), "F1 F2 F3 B3 R2 B2 R1 B1");
  EXPECT_EQ(ticks(ty::gpipe(recomputing(4, 5))), 28);
}

TEST(Interleaved, PassesGroupsThroughItsChunks) {
  const Program program = ty::interleaved({.stages = 2, .micro_batches = 2, .chunks = 2});
  EXPECT_EQ(list_of(program, 0), "F1.1 F1.2 F2.1 F2.2 B2.1 B2.2 B1.1 B1.2");
  EXPECT_EQ(list_of(program, 1), "F1.1 F1.2 F2.1 B2.1 F2.2 B2.2 B1.1 B1.2");
}

TEST(Schedules, HaveTheirClosedFormsAndNoDeadlock) {
  for (int p = 1; p <= 8; ++p) {
    for (int m = 1; m <= 32; ++m) {
      const std::string at = std::to_string(p) + " stages, " + std::to_string(m);
      const PipeShape plain = {.stages = p, .micro_batches = m};
      for (const PipelineSchedule schedule : {gpipe, one_f_one_b, interleaved, varuna}) {
        for (const bool recompute : {false, true}) {
          for (int v = 1; v <= (schedule == interleaved ? 4 : 1); ++v) {
            if (schedule == interleaved && m % p != 0) continue;
            const PipeShape shape = {p, m, v, recompute};
            EXPECT_NO_THROW(validate(make_program(schedule, shape))) << name_of(schedule) << at;
          }
        }
      }
      EXPECT_EQ(ticks(make_program(one_f_one_b, plain)), 3 * (m + p - 1)) << at;
      if (m % p == 0) {  // the bubble of 1f1b, divided by v
        for (int v = 1; v <= 4; ++v) {
          EXPECT_EQ(ticks(make_program(interleaved, {p, m, v, false})), 3 * (m * v + p - 1)) << at;
        }
      }
      if (p == 1) continue;
      EXPECT_EQ(ticks(make_program(gpipe, recomputing(p, m))), 4 * m + 3 * p - 4) << at;
      const int eager = ticks(make_program(one_f_one_b, recomputing(p, m)));
      if (m >= p) {
        EXPECT_EQ(eager, 4 * m + 3 * p - 5) << at;
      }
      const int of_varuna = ticks(make_program(varuna, recomputing(p, m)));
      EXPECT_GE(of_varuna, 4 * m + 3 * p - 6) << at;
      EXPECT_LE(of_varuna, 4 * m + 3 * p - 4) << at;
    }
  }
}

TEST(Schedules, KeepAsMuchAliveAsStated) {
  for (int p = 2; p <= 8; ++p) {
    for (const int m : {1, p, 3 * p, 6 * p}) {
      const Program by_turns = make_program(one_f_one_b, {.stages = p, .micro_batches = m});
      const Program of_varuna = make_program(varuna, recomputing(p, m));
      const Program of_gpipe = make_program(gpipe, recomputing(p, m));
      for (int s = 1; s <= p; ++s) {
        EXPECT_EQ(peak_alive(by_turns, s - 1), std::min(m, p - s + 1));
        EXPECT_EQ(peak_alive(of_gpipe, s - 1), m);
        EXPECT_EQ(peak_full(of_gpipe, s - 1), 1);
        if (s == p) continue;
        if (m > 1) {
          EXPECT_EQ(peak_alive(of_varuna, s - 1), std::min(m, 3 * (p - s))) << p << " " << m;
        }
        EXPECT_EQ(peak_full(of_varuna, s - 1), 1);
      }
    }
  }
}

TEST(Schedules, RefuseWhatTheyCannotServe) {
  EXPECT_EQ(
      message_of<ConfigError>([] {
        ty::interleaved({4, 6, 2, false});
      }),
      "parallel.microbatches: 6 cannot be interleaved over parallel.pipeline = 4 stages; want "
      "a multiple of 4: 4 or 8");
  EXPECT_EQ(message_of<ConfigError>([] {
              make_program(varuna, {4, 6, 2, false});
            }),
            "parallel.chunks: 2 of a stage want schedule: interleaved, got varuna");
}

}  // namespace
}  // namespace ty::test
