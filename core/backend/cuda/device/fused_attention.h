// Attention by an engine that has it as one kernel; what the engine wants and the caller does not
// have (packed statistics, lengths, dropout's factors) is made in scratch around its runs.
#pragma once

#include <memory>

#include "core/backend/backend.h"
#include "core/backend/cuda/cudnn/attention_engine.h"
#include "core/backend/cuda/device/launcher.h"

namespace ty::cuda {

class FusedAttention {
 public:
  static constexpr std::int64_t kSquareBytes = std::int64_t{256} << 20;

  // `engine` null: has no way for anything. repeatable: gradients with the same bits in every run.
  // square_bytes: of what grows with Tq Tk, at most at once.
  FusedAttention(std::unique_ptr<cudnn::AttentionEngine> engine, Backend& backend,
                 const Launcher& launch, bool repeatable, std::int64_t square_bytes = kSquareBytes)
      : engine_(std::move(engine)),
        backend_(backend),
        launch_(launch),
        repeatable_(repeatable),
        square_bytes_(square_bytes) {}

  // As in Backend. False: there is no way, and nothing has been done.
  bool attention(const View& y, const View& lse, const View& q, const View& k, const View& v,
                 const AttentionOptions& options);
  bool attention_grad(const View& dq, const View& dk, const View& dv, const View& dy, const View& y,
                      const View& lse, const View& q, const View& k, const View& v,
                      const AttentionOptions& options);

 private:
  class Run;

  std::unique_ptr<cudnn::AttentionEngine> engine_;
  Backend& backend_;
  const Launcher& launch_;
  bool repeatable_;
  std::int64_t square_bytes_;
};

}  // namespace ty::cuda
