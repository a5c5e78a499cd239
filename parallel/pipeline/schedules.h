// Schedules: in which order each stage runs its micro-batches. Pure functions of a shape; the
// bubble of each, in slots of a forward with backward = 2 and free sends (P stages, M
// micro-batches):
//
//   gpipe        all forwards, then all backwards (Huang et al., arXiv 1811.06965)
//   1f1b         P - s forwards on stage s, then one backward after each forward (Narayanan et al.,
//                SOSP 2019): at most P - s micro-batches are alive
//   interleaved  1f1b over v chunks per stage, whose bubble is v times smaller (arXiv 2104.04473)
//   varuna       recomputes early and starts backwards as soon as it can (Athlur et al., EuroSys
//                2022)
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "parallel/pipeline/action.h"

namespace ty {

enum class PipelineSchedule : std::uint8_t { gpipe, one_f_one_b, interleaved, varuna };
// "gpipe", "1f1b", "interleaved", "varuna"
std::string_view name_of(PipelineSchedule schedule);
// Nothing if none has that name.
std::optional<PipelineSchedule> schedule_named(std::string_view name);

// All throw ConfigError for a shape that they cannot serve. With shape.recompute, what is not there
// any more is recomputed: in all but gpipe, the last virtual stage runs a backward right after its
// forward and recomputes nothing.
Program make_program(PipelineSchedule schedule, const PipeShape& shape);
Program gpipe(const PipeShape& shape);
Program one_f_one_b(const PipeShape& shape);
// Wants a number of micro-batches that is a multiple of the stages.
Program interleaved(const PipeShape& shape);
Program varuna(const PipeShape& shape);

}  // namespace ty
