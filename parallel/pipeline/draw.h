// Draws timelines.
//
//   S2 -- F1 B1 .1 F2 B2 .2 -- --        a column per slot of time; .1 is what follows in B1
//   S1 F1 F2 -- -- B1 .1 -- B2 .2
#pragma once

#include <string>

#include "parallel/pipeline/timeline.h"

namespace ty {

// A line per stage, the last one first. If all times are whole numbers and `columns` suffice, one
// cell per slot; else each letter (F, R, B, - for idle) stands for an equal share of the time.
std::string draw_text(const Timeline& timeline, int columns = 160);
// A picture of the same, one bar per span.
std::string draw_svg(const Timeline& timeline);

}  // namespace ty
