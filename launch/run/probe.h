// Logits, loss and gradients of a stored model for a list of token ids or any other inputs: for
// comparison with another library.
#pragma once

#include <memory>
#include <vector>

#include "core/io/file.h"
#include "models/huggingface/model_directory.h"

namespace ty {

class Probe {
 public:
  // Loads the model into `backend`; `dtype` is the type of weights and arithmetic.
  Probe(const Path& model_directory, Backend& backend, DType dtype = DType::f32);

  // ids: N + 1 of them; the first N are the inputs, the last N the targets. Computes logits, the
  // mean loss and all its gradients. Throws UsageError for too few, too many or unknown ids.
  void run(const std::vector<std::int32_t>& ids);

  // The same for a batch of the library's arguments (public_inputs.h); without targets, only what
  // the model returns. Throws DataError.
  void run(const Path& inputs);

  HeadSpec::Kind head() const { return opened_.spec.head.kind; }
  // Whether the last run had targets.
  bool has_loss() const { return has_loss_; }
  double loss() const { return loss_; }  // the mean over targets: nats, or squared distance
  std::int64_t targets() const { return targets_; }
  // [N, V] of token ids; of inputs [B, T, V], or [B, L] of labels, or [B, T, C] without a head.
  const Tensor& logits() const { return logits_; }
  // [B, C] of a model that has a pooler and no head; else empty.
  const Tensor& pooled() const { return pooled_; }
  // The parameters with their gradients, under our names and in our layout.
  const FlatParameters& parameters() const { return *opened_.parameters; }

  // Safetensors files: "logits" (without a head "last_hidden_state", and "pooler_output" of a
  // pooler); gradients under the directory's own tensor names.
  void write_logits(const Path& file) const;
  void write_gradients(const Path& file) const;

 private:
  // Leaves the logits as rows.
  void run(const HostBatch& batch, bool has_targets);

  Path directory_;
  Backend& backend_;
  OpenedModel opened_;
  Tensor logits_, pooled_;
  bool has_loss_ = false;
  std::int64_t targets_ = 0;
  double loss_ = 0;
};

}  // namespace ty
