// Differentiable scaled dot-product attention (Vaswani et al., arXiv 1706.03762).
#pragma once

#include "core/autograd/graph.h"

namespace ty {

// Self-attention on fused projections. qkv [B, T, 3C] ordered head by head: for each head its
// queries, keys and values of C / heads numbers each, so that a contiguous slice is whole heads.
// Result [B, T, C]. options.scale 0 means 1 / sqrt(C / heads). Keeps qkv, the result and one number
// per row; probabilities are computed again in backward.
Tensor self_attention(const Tensor& qkv, std::int64_t heads, AttentionOptions options);

// q, k, v [B, T, H, D] views of a fused qkv [B, T, 3HD] as [B, H, T, D]; which: 0 q, 1 k, 2 v.
View head_view(const View& qkv, std::int64_t heads, int which);

}  // namespace ty
