#include "core/backend/cuda/cudnn/attention_engine.h"
#include "core/backend/cuda/cudnn/attention_run.h"
#include "core/backend/cuda/cudnn/opened_library.h"
#include "core/base/error.h"

namespace ty::cudnn {

namespace {

class CudnnEngine final : public AttentionEngine {
 public:
  CudnnEngine(int device, void* stream)
      : handle_(static_cast<cudaStream_t>(stream)), plans_(DeviceProperties::of_device(device)) {}

  std::optional<AttentionNeeds> needs(const AttentionProblem& problem) override {
    const AttentionPlan* plan = plans_.find(problem).plan;
    return plan == nullptr ? std::nullopt : std::optional(plan->needs);
  }

  void run(const AttentionProblem& problem, std::span<const Binding> bindings,
           void* workspace) override {
    const AttentionPlans::Answer& answer = plans_.find(problem);
    TY_CHECK(answer.plan != nullptr, "{}: {}", describe(problem), answer.refusal);
    cudnn::run(handle_, *answer.plan, bindings, workspace);
  }

 private:
  Handle handle_;
  AttentionPlans plans_;
};

}  // namespace

std::unique_ptr<AttentionEngine> open_attention_engine(int device, void* stream) {
  if (!is_library_here()) return nullptr;
  try {
    return std::make_unique<CudnnEngine>(device, stream);
  } catch (const DeviceError&) {
    return nullptr;  // of a version that does not describe devices, or not for this one
  }
}

}  // namespace ty::cudnn
