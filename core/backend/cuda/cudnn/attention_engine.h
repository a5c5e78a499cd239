// Attention as one kernel, by whoever has one: cuDNN on a device (cudnn_engine.cpp), plain loops in
// tests. Callers need none of cuDNN's headers.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "core/backend/cuda/cudnn/attention_operands.h"
#include "core/backend/cuda/cudnn/attention_problem.h"

namespace ty::cudnn {

class AttentionEngine {
 public:
  virtual ~AttentionEngine() = default;
  // Nothing if it has no way for the problem. The first time may take seconds.
  virtual std::optional<AttentionNeeds> needs(const AttentionProblem& problem) = 0;
  // Puts a run of a problem that it has a way for into its stream: a binding for each tensor that
  // the problem has, and no other.
  virtual void run(const AttentionProblem& problem, std::span<const Binding> bindings,
                   void* workspace) = 0;
};

// For one stream of a device, a cudaStream_t; null where cuDNN is not installed, or too old.
std::unique_ptr<AttentionEngine> open_attention_engine(int device, void* stream);

}  // namespace ty::cudnn
