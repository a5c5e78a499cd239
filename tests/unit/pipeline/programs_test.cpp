// Programs as text, and what is refused of them.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "parallel/pipeline/program_text.h"
#include "parallel/pipeline/schedules.h"
#include "parallel/pipeline/validate.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

std::string refused(const std::string& text) {
  return message_of<ConfigError>([&] { parse_program(text, "plan.txt"); });
}

TEST(Programs, ReadBackAsTheyAreWritten) {
  using enum PipelineSchedule;
  for (const PipelineSchedule schedule : {gpipe, one_f_one_b, interleaved, varuna}) {
    for (const bool recompute : {false, true}) {
      const Program program =
          make_program(schedule, {3, 6, schedule == interleaved ? 2 : 1, recompute});
      const Program again = parse_program(to_text(program), "text");
      EXPECT_EQ(again.shape, program.shape);
      EXPECT_EQ(again.stages, program.stages);
    }
  }
  const Program program = parse_program("# two stages\n\nF1 F2 B1 B2\r\nF1 B1 F2 B2 # last\n", "p");
  EXPECT_EQ(program.shape, (PipeShape{2, 2, 1, false}));
}

TEST(Programs, AreRefusedWithTheirFault) {
  EXPECT_EQ(refused("F1 B1\nF1 X1\n"),
            "plan.txt:2: \"X1\" is no action; want F, R or B with a micro-batch, as F3, or a chunk "
            "and a micro-batch, as F2.3");
  EXPECT_EQ(refused("F0 B0"),
            "plan.txt:1: \"F0\" is no action; want F, R or B with a micro-batch, as F3, or a chunk "
            "and a micro-batch, as F2.3");
  EXPECT_EQ(refused("# nothing\n"), "plan.txt: holds no actions");
  EXPECT_EQ(refused("F1 F2 B1 B2\nF1 F2 B1\n"), "plan.txt: stage 2: B2: it is missing");
  EXPECT_EQ(refused("F1 F1 B1\nF1 B1\n"), "plan.txt: stage 1: F1: it is there twice");
  EXPECT_EQ(refused("B1 F1\nF1 B1\n"), "plan.txt: stage 1: B1: it comes before its forward");
  EXPECT_EQ(refused("R1 F1 B1\nF1 B1\n"),
            "plan.txt: stage 1: R1: it is not between its forward and its backward");
  EXPECT_EQ(
      refused("F1 F2 B1 B2\nF2 B2 F1 B1\n"),
      "plan.txt: stage 2: wants the activation of micro-batch 2, where 1 is sent; both stages "
      "must run micro-batches in one order");
  // Stage 1 waits for a gradient before it sends what stage 2 begins with.
  EXPECT_EQ(refused("F1 B1 F2 B2\nF1 F2 B1 B2\n"),
            "plan.txt: stage 1 never gets what B1 needs: stages wait for each other");
}

}  // namespace
}  // namespace ty::test
