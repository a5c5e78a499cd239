#include "parallel/pipeline/schedules.h"

namespace ty {

// On the last stage what ran last is still there when its backward begins; all else is recomputed.
Program gpipe(const PipeShape& shape) {
  Program program = {shape, {}};
  for (int stage = 0; stage < shape.stages; ++stage) {
    std::vector<Action>& actions = program.stages.emplace_back();
    for (int m = 0; m < shape.micro_batches; ++m) actions.push_back({Action::Kind::forward, 0, m});
    for (int m = shape.micro_batches - 1; m >= 0; --m) {
      const bool is_there = shape.is_last(stage, 0) && m + 1 == shape.micro_batches;
      if (shape.recompute && !is_there) actions.push_back({Action::Kind::recompute, 0, m});
      actions.push_back({Action::Kind::backward, 0, m});
    }
  }
  return program;
}

}  // namespace ty
