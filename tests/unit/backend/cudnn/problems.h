// Attention problems of models' shapes.
#pragma once

#include "core/backend/cuda/cudnn/attention_problem.h"

namespace ty::test {

struct AttentionShape {
  std::int64_t batch = 2, heads = 3, queries = 128, keys = 128, width = 64;
};

// q, k and v packed [B, T, 3, H, D] where queries and keys are as many, otherwise k and v packed
// [B, T, 2, H, D]; y [B, T, H, D]. Gradients lie as what they are of.
inline cudnn::AttentionProblem problem_of(const AttentionShape& s) {
  const bool is_cross = s.queries != s.keys;
  const std::int64_t row = s.heads * s.width;
  const auto strides = [&](std::int64_t parts, std::int64_t rows) {
    return cudnn::HeadStrides{parts * rows * row, s.width, parts * row};
  };
  cudnn::AttentionProblem p;
  p.batch = s.batch;
  p.heads = s.heads;
  p.queries = s.queries;
  p.keys = s.keys;
  p.width = s.width;
  p.q = p.dq = strides(is_cross ? 1 : 3, s.queries);
  p.k = p.v = p.dk = p.dv = strides(is_cross ? 2 : 3, s.keys);
  p.y = p.dy = strides(1, s.queries);
  p.scale = 0.125f;
  return p;
}

// The device that plans are compiled for here.
std::string h200_properties();

}  // namespace ty::test
