#include "launch/job/checkpoint_section.h"

#include "launch/job/limits.h"

namespace ty {

using config::between;
using config::Fields;

void fields(Fields& f, CheckpointSection& s) {
  f.field("every", s.every, "steps between checkpoints; 0: only at the end",
          between(0, kMostSteps));
  f.field("keep", s.keep, "newest checkpoints that are kept", between(1, kMostSteps));
  f.field("best", s.best,
          "whether the step with the best run.early_stop.metric is saved at once and kept besides, "
          "under checkpoints/best");
}

}  // namespace ty
