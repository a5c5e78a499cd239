// Multi-head attention of a decoder to what its encoder returned (Vaswani et al., arXiv
// 1706.03762).
#pragma once

#include <memory>

#include "models/transformer/attention.h"
#include "models/transformer/kv_cache.h"

namespace ty {

class CrossAttention {
 public:
  // Linear layers: q [C, C], kv [C, 2C], head by head, and out [C, C], which starts with `out_std`.
  // Ranks that share the model have whole heads each; throws as OwnHeads::of() does.
  CrossAttention(const BlockContext& at, const ModelSpec& spec, double out_std);
  // x [B, T, C] attends to memory [B, S, C], as far as the batch's lengths go; each of both may be
  // own rows or columns. The result is like x. With a cache that has met the memory, there is none.
  Tensor operator()(const Tensor& x, const Tensor& memory, const ForwardContext& context) const;

 private:
  // Keys and values of all that the encoder returned, own heads: [B, H, S, D] each.
  KvCache::Entry entry_for(const Tensor& memory, std::int64_t sequences) const;

  std::uint64_t site_;  // names this layer in a cache
  OwnHeads heads_;
  double scale_;
  std::unique_ptr<Linear> q_, kv_, out_;
  Dropout probabilities_;
};

}  // namespace ty
