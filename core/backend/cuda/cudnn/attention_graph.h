// The graphs of attention and of its gradients (Dao et al., arXiv 2205.14135; Dao, arXiv
// 2307.08691), in the composition of operations that cuDNN fuses into one kernel each.
#pragma once

#include "core/backend/cuda/cudnn/attention_problem.h"
#include "core/backend/cuda/cudnn/graph.h"

namespace ty::cudnn {

// What lies in device memory, all aligned to 16 bytes. Shapes and types:
//   q, y, dq, dy  [B, H, Tq, D]      k, v, dk, dv  [B, H, Tk, D]      the problem's type
//   lse, row_sum  [B, H, Tq] fp32, packed          query_sum  [B, H, Tq, D] fp32, packed
//   key_lengths, query_lengths  int32 [B]          seed, offset  int64 [1]
//   mask  [B, H, Tq, Tk] of the problem's type, packed: 0, or 1 / (1 - p)
enum AttentionTensor : TensorId {
  kQ = 1,
  kK,
  kV,
  kY,
  kLse,
  kKeyLengths,
  kQueryLengths,
  kSeed,
  kOffset,
  kMask,
  kDy,
  kDq,
  kDk,
  kDv,
  kRowSum,
  kQuerySum
};

// y and lse of q, k and v.
Graph attention_graph(const AttentionProblem& problem);
// dq, dk and dv of dy and of what the forward pass has read and written. row_sum and, if fast,
// query_sum are the caller's, the second zeroed before each run.
Graph attention_grad_graph(const AttentionProblem& problem);

}  // namespace ty::cudnn
