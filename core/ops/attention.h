// Differentiable scaled dot-product attention (Vaswani et al., arXiv 1706.03762).
//
// options.scale 0 means 1 / sqrt(D). options.lengths is filled from `lengths`: an int32 tensor [B]
// with the number of keys of each batch entry, undefined if every entry has all keys. The operands,
// the result and one number per row are kept; backward recomputes the probabilities. All functions
// throw ShapeError unless shapes and dtypes are as stated.
#pragma once

#include "core/autograd/graph.h"

namespace ty {

// q [B, Tq, H, D] attends to k and v [B, Tk, H, D]. Result [B, Tq, H, D].
Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, AttentionOptions options,
                 const Tensor& lengths = {});

// Self-attention on fused projections. qkv [B, T, 3C] ordered head by head: for each head its
// queries, keys and values of C / heads numbers each, so that a contiguous slice is whole heads.
// Result [B, T, C].
Tensor self_attention(const Tensor& qkv, std::int64_t heads, AttentionOptions options,
                      const Tensor& lengths = {});

// q [B, H, Tq, D] attends to k and v [B, H, Tk, D], any strides in which D is contiguous; the
// result is [B, Tq, H D]. Not differentiable.
Tensor attention_of_heads(const Tensor& q, const Tensor& k, const Tensor& v,
                          AttentionOptions options, const Tensor& lengths = {});

// q, k, v [B, T, H, D] views of a fused qkv [B, T, 3HD] as [B, H, T, D]; which: 0 q, 1 k, 2 v.
View head_view(const View& qkv, std::int64_t heads, int which);

}  // namespace ty
