// Logits, loss and gradients of a stored model for a list of token ids: for comparison with another
// library.
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

  double loss() const { return loss_; }             // nats per token
  const Tensor& logits() const { return logits_; }  // [N, V]
  // The parameters with their gradients, under our names and in our layout.
  const FlatParameters& parameters() const { return *opened_.parameters; }

  // Safetensors files: "logits" [N, V]; gradients under the directory's own tensor names.
  void write_logits(const Path& file) const;
  void write_gradients(const Path& file) const;

 private:
  Path directory_;
  Backend& backend_;
  OpenedModel opened_;
  Tensor logits_;
  double loss_ = 0;
};

}  // namespace ty
