// Differentiable matrix products.
#pragma once

#include "core/autograd/graph.h"
#include "core/ops/shards.h"

namespace ty {

// a [..., M, K] times b [..., K, N]; leading dimensions broadcast. Result [..., M, N].
Tensor matmul(const Tensor& a, const Tensor& b);

// How a linear layer's weight is stored: [in, out] (the house convention, y = x w + b), or [out,
// in] (a token table serving as output head).
enum class WeightLayout : std::uint8_t { in_out, out_in };

// Who reads a layer's result when the function around it is replayed: unread() (replay.h) if nobody
// does.
enum class InReplay : std::uint8_t { read, unread };

// A dimension of a weight [in, out] along which all products with it are computed shard by shard.
struct WeightShards {
  enum class Along : std::uint8_t { in, out } along = Along::out;
  Shards shards = {};
};

// x [..., in] through weight and bias [out] (undefined: none) to [..., out]. Keeps x; the gradients
// of weight and bias are accumulated directly in their buffers.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias,
              WeightLayout layout = WeightLayout::in_out, InReplay result = InReplay::read,
              const WeightShards& shards = {});

}  // namespace ty
