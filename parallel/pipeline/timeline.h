// Timeline: when each stage did what, measured or simulated.
#pragma once

#include <vector>

#include "parallel/pipeline/action.h"

namespace ty {

// From one moment to another, in seconds; waiting for a message is not part of it.
struct Span {
  Action action;
  double begin = 0.0, end = 0.0;
};

struct Timeline {
  PipeShape shape;
  std::vector<std::vector<Span>> stages;

  // When the last stage is done.
  double seconds() const;
  // How long a stage works.
  double busy(int stage) const;
  // The share of the time in which it does not.
  double bubble(int stage) const;
  // Of all stages together.
  double bubble() const;
};

}  // namespace ty
