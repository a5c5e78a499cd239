// What a rank does in a step, counted while it takes the step without arithmetic.
#pragma once

#include <cstdint>
#include <vector>

#include "core/backend/dry/dry_backend.h"
#include "launch/run/layout.h"
#include "launch/run/training_step.h"

namespace ty {

// Arithmetic of matrix products, bytes moved by kernels, and calls and bytes of collectives, for
// which a rank waits.
struct StepWork {
  double flops = 0, bytes = 0, calls = 0, sent_bytes = 0;

  void add(const StepWork& more, double times);
};

// Of one micro-batch, on average.
struct ChunkWork {
  StepWork forward, recompute, backward;
};

// Counts while it lives.
class WorkMeter {
 public:
  // All references must outlive this.
  WorkMeter(DryBackend& backend, const Layout& layout, TrainingStep& step, int chunks,
            std::int64_t micro_batches);

  const std::vector<ChunkWork>& chunks() const { return chunks_; }
  std::int64_t actions() const { return actions_; }
  // Of what followed the last action.
  StepWork rest() { return take(); }

 private:
  StepWork take();
  StepWork count() const;

  DryBackend& backend_;
  const Layout& layout_;
  StepWork last_;
  std::vector<ChunkWork> chunks_;
  std::int64_t actions_ = 0;
};

}  // namespace ty
