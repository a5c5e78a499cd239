// What a plan of attention reads and writes, without the words of cuDNN's header: for callers.
#pragma once

#include <cstdint>

namespace ty::cudnn {

// By what a tensor is bound to memory when a graph runs.
using TensorId = std::int64_t;

// What lies in device memory, all aligned to 16 bytes. Shapes and types:
//   q, y, dq, dy  [B, H, Tq, D]      k, v, dk, dv  [B, H, Tk, D]      the problem's type
//   lse, row_sum  [B, H, Tq] fp32, packed          query_sum  [B, H, Tq, D] fp32, packed
//   key_lengths, query_lengths  int32 [B]          seed, offset  int64 [1]
//   mask  [B, H, Tq, Tk] of the problem's type, packed: 0 or 1
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

struct Binding {
  TensorId id;
  void* data;  // device memory
};

// What a run needs of device memory besides its operands, in bytes.
struct AttentionNeeds {
  std::int64_t workspace = 0;
  std::int64_t row_sum = 0;    // kRowSum; gradients only
  std::int64_t query_sum = 0;  // kQuerySum, zeros before each run; fast gradients only
};

}  // namespace ty::cudnn
