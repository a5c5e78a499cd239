// Multi-head self-attention with a fused projection (Vaswani et al., arXiv 1706.03762).
#pragma once

#include <memory>

#include "models/linear/base/linear.h"
#include "models/transformer/dropout.h"
#include "models/transformer/spec.h"

namespace ty {

// The attention heads that a rank has of those of a model.
struct OwnHeads {
  std::int64_t count = 0, first = 0;

  // Throws ConfigError if the ranks that share the model do not divide its heads.
  static OwnHeads of(const BlockContext& at, const ModelSpec& spec);
};

class Attention {
 public:
  struct Options {
    std::int64_t layer = 0;  // the number of its block, from 0
    double out_std = 0.02;   // with which the layer out starts
    bool causal = true;      // a token sees those before it alone
    bool padded = true;      // no token sees those beyond the batch's lengths, if it states any
  };
  // Linear layers: qkv [C, 3C], head by head, and out [C, C]. Ranks that share the model have whole
  // heads each; throws as OwnHeads::of() does.
  Attention(const BlockContext& at, const ModelSpec& spec, const Options& options);
  // x [B, T, C] or own rows or columns of it; the result likewise.
  Tensor operator()(const Tensor& x, const ForwardContext& context) const;

 private:
  std::uint64_t site_;  // names this layer in a cache
  OwnHeads heads_;
  double scale_;
  bool causal_, padded_;
  std::unique_ptr<Linear> qkv_, out_;
  Dropout probabilities_;
};

}  // namespace ty
