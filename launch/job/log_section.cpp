#include "launch/job/log_section.h"

#include "launch/job/limits.h"

namespace ty {

using config::between;
using config::Fields;

void fields(Fields& f, LogSection& s) {
  f.field("every", s.every, "steps between lines in metrics.jsonl", between(1, kMostSteps));
  f.field("tensorboard", s.tensorboard,
          "whether events/ of the run directory is written, which TensorBoard shows");
  f.field("trace", s.trace,
          "steps whose actions go into trace.json of the run directory, which Perfetto shows",
          between(0, kMostSteps));
}

}  // namespace ty
