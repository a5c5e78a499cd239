#include <algorithm>

#include "parallel/pipeline/schedules.h"

namespace ty {

Program one_f_one_b(const PipeShape& shape) {
  Program program = {shape, {}};
  for (int stage = 0; stage < shape.stages; ++stage) {
    std::vector<Action>& actions = program.stages.emplace_back();
    const int warm_up = std::min(shape.stages - 1 - stage, shape.micro_batches);
    int forwards = 0;
    while (forwards < warm_up) actions.push_back({Action::Kind::forward, 0, forwards++});
    for (int m = 0; m < shape.micro_batches; ++m) {
      if (forwards < shape.micro_batches) actions.push_back({Action::Kind::forward, 0, forwards++});
      if (shape.recompute && !shape.is_last(stage, 0))
        actions.push_back({Action::Kind::recompute, 0, m});
      actions.push_back({Action::Kind::backward, 0, m});
    }
  }
  return program;
}

}  // namespace ty
