// Multi-head causal self-attention with a fused projection (Vaswani et al., arXiv 1706.03762).
#pragma once

#include <memory>

#include "models/linear/base/linear.h"
#include "models/transformer/dropout.h"
#include "models/transformer/spec.h"

namespace ty {

class Attention {
 public:
  // Of block `layer`, from 0. Linear layers: qkv [C, 3C], head by head, and out [C, C], which
  // starts with `out_std`. Ranks that share the model have whole heads each; throws ConfigError if
  // they do not divide them.
  Attention(const BlockContext& at, const ModelSpec& spec, std::int64_t layer, double out_std);
  // x [B, T, C] or own rows or columns of it; the result likewise.
  Tensor operator()(const Tensor& x, const ForwardContext& context) const;

 private:
  std::int64_t heads_, first_head_;  // this rank's
  double scale_;
  std::unique_ptr<Linear> qkv_, out_;
  Dropout probabilities_;
};

}  // namespace ty
