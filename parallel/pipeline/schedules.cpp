#include "parallel/pipeline/schedules.h"

#include "core/base/error.h"

namespace ty {

std::string_view name_of(PipelineSchedule schedule) {
  switch (schedule) {
    case PipelineSchedule::gpipe:
      return "gpipe";
    case PipelineSchedule::one_f_one_b:
      return "1f1b";
    case PipelineSchedule::interleaved:
      return "interleaved";
    case PipelineSchedule::varuna:
      return "varuna";
  }
  return "?";
}

std::optional<PipelineSchedule> schedule_named(std::string_view name) {
  using enum PipelineSchedule;
  for (const PipelineSchedule schedule : {gpipe, one_f_one_b, interleaved, varuna}) {
    if (name_of(schedule) == name) return schedule;
  }
  return std::nullopt;
}

Program make_program(PipelineSchedule schedule, const PipeShape& shape) {
  if (shape.chunks > 1 && schedule != PipelineSchedule::interleaved) {
    throw ConfigError(Key{"parallel.chunks"}, "{} of a stage want schedule: interleaved, got {}",
                      shape.chunks, name_of(schedule));
  }
  switch (schedule) {
    case PipelineSchedule::gpipe:
      return gpipe(shape);
    case PipelineSchedule::one_f_one_b:
      return one_f_one_b(shape);
    case PipelineSchedule::interleaved:
      return interleaved(shape);
    case PipelineSchedule::varuna:
      return varuna(shape);
  }
  throw InternalError("there is no such schedule");
}

}  // namespace ty
