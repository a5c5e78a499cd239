#include <algorithm>

#include "core/base/error.h"
#include "parallel/pipeline/schedules.h"

namespace ty {

namespace {

// The k-th of a stage's forwards (or backwards, whose chunks go downwards): micro-batches come in
// groups of as many as there are stages, and a group passes all chunks before the next one comes.
//
//   P = 2, v = 2:  chunk        0 0 1 1 0 0 1 1
//                  micro-batch  0 1 0 1 2 3 2 3
Action kth(Action::Kind kind, int k, const PipeShape& shape) {
  const int group = shape.stages * shape.chunks;
  const int chunk = k % group / shape.stages;
  const int micro_batch = k / group * shape.stages + k % shape.stages;
  return {kind, kind == Action::Kind::forward ? chunk : shape.chunks - 1 - chunk, micro_batch};
}

}  // namespace

Program interleaved(const PipeShape& shape) {
  if (shape.micro_batches % shape.stages != 0) {
    throw ConfigError(
        Key{"parallel.microbatches"},
        "{} cannot be interleaved over parallel.pipeline = {} stages; want a multiple "
        "of {}: {} or {}",
        shape.micro_batches, shape.stages, shape.stages,
        std::max(shape.micro_batches / shape.stages, 1) * shape.stages,
        (shape.micro_batches / shape.stages + 1) * shape.stages);
  }
  const int all = shape.micro_batches * shape.chunks;
  Program program = {shape, {}};
  for (int stage = 0; stage < shape.stages; ++stage) {
    std::vector<Action>& actions = program.stages.emplace_back();
    const int ahead = shape.chunks == 1
                          ? shape.stages - 1 - stage
                          : (shape.stages - 1 - stage) * 2 + (shape.chunks - 1) * shape.stages;
    int forwards = 0;
    while (forwards < std::min(ahead, all))
      actions.push_back(kth(Action::Kind::forward, forwards++, shape));
    for (int k = 0; k < all; ++k) {
      if (forwards < all) actions.push_back(kth(Action::Kind::forward, forwards++, shape));
      const Action backward = kth(Action::Kind::backward, k, shape);
      if (shape.recompute && !shape.is_last(stage, backward.chunk)) {
        actions.push_back({Action::Kind::recompute, backward.chunk, backward.micro_batch});
      }
      actions.push_back(backward);
    }
  }
  return program;
}

}  // namespace ty
