#include "launch/verbs/plan_schedule.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/file_writer.h"
#include "launch/report/timeline_table.h"
#include "parallel/pipeline/draw.h"
#include "parallel/pipeline/program_text.h"
#include "parallel/pipeline/schedules.h"
#include "parallel/pipeline/simulate.h"
#include "parallel/pipeline/validate.h"

namespace ty {

namespace {

constexpr std::size_t kMaxProgramBytes = std::size_t{16} << 20;

Program program_of(const Arguments& arguments) {
  const std::string file = arguments.text("--file", "");
  if (!file.empty()) return parse_program(read_text_file(file, kMaxProgramBytes), file);
  const auto named = schedule_named(arguments.text("--name", ""));
  if (!named) {
    throw UsageError(
        "plan schedule: --name or --file is missing; --name is one of gpipe, 1f1b, interleaved, "
        "varuna");
  }
  const PipelineSchedule schedule = *named;
  const bool recompute = schedule == PipelineSchedule::varuna ? !arguments.flag("--keep")
                                                              : arguments.flag("--recompute");
  return make_program(schedule,
                      {.stages = static_cast<int>(arguments.integer("--stages", 4)),
                       .micro_batches = static_cast<int>(arguments.integer("--microbatches", 8)),
                       .chunks = static_cast<int>(arguments.integer("--chunks", 1)),
                       .recompute = recompute});
}

PipeCosts costs_of(const Arguments& arguments, const PipeShape& shape) {
  PipeCosts costs = uniform_costs(shape, {.forward = arguments.number("--forward", 1.0),
                                          .recompute = arguments.number("--recomputation", 1.0),
                                          .backward = arguments.number("--backward", 2.0)});
  costs.message = arguments.number("--latency", 0.0);
  costs.jitter = arguments.number("--jitter", 0.0);
  costs.seed = static_cast<std::uint64_t>(arguments.integer("--seed", 1));
  return costs;
}

void print(const Program& program, const Timeline& timeline) {
  fmt::print("{}\n{:g} ticks  {}", draw_text(timeline), timeline.seconds(),
             format_bubbles(timeline));
  std::string alive = "alive ", full = "in full";
  for (int stage = 0; stage < program.shape.stages; ++stage) {
    alive += fmt::format("  S{} {}", stage + 1, peak_alive(program, stage));
    full += fmt::format("  S{} {}", stage + 1, peak_full(program, stage));
  }
  fmt::print("{}  micro-batches at most\n{}  sets of activations at most\n", alive, full);
}

nlohmann::json to_json(const Program& program, const Timeline& timeline) {
  std::vector<int> alive, full;
  for (int stage = 0; stage < program.shape.stages; ++stage) {
    alive.push_back(peak_alive(program, stage));
    full.push_back(peak_full(program, stage));
  }
  return {{"stages", program.shape.stages},
          {"microbatches", program.shape.micro_batches},
          {"chunks", program.shape.chunks},
          {"ticks", timeline.seconds()},
          {"bubble", timeline.bubble()},
          {"bubble_by_stage", bubbles_json(timeline)},
          {"peak_alive", alive},
          {"peak_full", full},
          {"timeline", timeline_json(timeline)}};
}

}  // namespace

ExitCode run_plan_schedule(const Arguments& arguments, RankStatus&) {
  const Program program = program_of(arguments);
  const bool conserving = arguments.flag("--work-conserving");
  const Timeline timeline =
      simulate(program, costs_of(arguments, program.shape),
               conserving ? ExecutionOrder::work_conserving : ExecutionOrder::listed,
               conserving ? RecomputeStart::eager : RecomputeStart::timely);
  const std::string svg = arguments.text("--svg", "");
  if (!svg.empty()) {
    FileWriter out(svg);
    out.write(draw_svg(timeline));
    out.finish();
  }
  if (arguments.flag("--text")) {
    fmt::print("{}", to_text(program));
  } else if (arguments.flag("--json")) {
    fmt::print("{}\n", to_json(program, timeline).dump());
  } else {
    print(program, timeline);
  }
  return ExitCode::ok;
}

}  // namespace ty
