// An attention engine without a device: cuDNN's graphs, computed step by step on the host.
#pragma once

#include <vector>

#include "core/backend/cuda/cudnn/attention_engine.h"

namespace ty::test {

class EvaluatedEngine final : public cudnn::AttentionEngine {
 public:
  // Nothing where cuDNN has no plan.
  std::optional<cudnn::AttentionNeeds> needs(const cudnn::AttentionProblem& problem) override;
  // Throws InternalError if a binding is missing or one too many.
  void run(const cudnn::AttentionProblem& problem, std::span<const cudnn::Binding> bindings,
           void* workspace) override;

  // What cuDNN does, in some versions, with what lies behind the last key of an unmasked tile.
  bool has_tail_bug = false;
  std::vector<cudnn::AttentionProblem>* runs = nullptr;  // where to note them
};

}  // namespace ty::test
