// One row per differentiable function: gradients of each are checked against finite differences on
// every CPU backend, on odd, non-square shapes.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/autograd/replay.h"
#include "core/ops/attention.h"
#include "core/ops/elementwise.h"
#include "core/ops/embedding.h"
#include "core/ops/loss.h"
#include "core/ops/matmul.h"
#include "core/ops/norm.h"
#include "core/ops/select.h"
#include "core/ops/shape.h"
#include "tests/support/tensors.h"

namespace ty::test {

using Inputs = std::span<const Tensor>;

struct OpCase {
  std::string name;
  std::vector<Shape> inputs;
  std::function<Tensor(Inputs)> fn;
};

inline DropoutMask some_mask() { return {0.4, RandomStream(3, site_id("mask"), 5), 11}; }

inline std::vector<OpCase> op_cases() {
  return {
      {"add", {{2, 3}, {2, 3}}, [](Inputs x) { return add(x[0], x[1]); }},
      {"add_broadcast", {{2, 1, 3}, {4, 1}}, [](Inputs x) { return add(x[0], x[1]); }},
      {"add_itself", {{5}}, [](Inputs x) { return add(x[0], x[0]); }},
      {"sub", {{3}, {2, 3}}, [](Inputs x) { return sub(x[0], x[1]); }},
      {"mul", {{2, 3}, {3}}, [](Inputs x) { return mul(x[0], x[1]); }},
      {"scale", {{7}}, [](Inputs x) { return scale(x[0], -2.5); }},
      {"relu", {{3, 5}}, [](Inputs x) { return activation(UnaryOp::relu, x[0]); }},
      {"gelu_tanh", {{3, 5}}, [](Inputs x) { return activation(UnaryOp::gelu_tanh, x[0]); }},
      {"gelu_erf", {{3, 5}}, [](Inputs x) { return activation(UnaryOp::gelu_erf, x[0]); }},
      {"silu", {{3, 5}}, [](Inputs x) { return activation(UnaryOp::silu, x[0]); }},
      {"quick_gelu", {{3, 5}}, [](Inputs x) { return activation(UnaryOp::quick_gelu, x[0]); }},
      {"tanh", {{3, 5}}, [](Inputs x) { return activation(UnaryOp::tanh, x[0]); }},
      {"dropout", {{2, 9}}, [](Inputs x) { return dropout(x[0], some_mask()); }},
      {"dropout_rows",
       {{7, 3}},
       [](Inputs x) {
         return dropout(x[0], {0.4, RandomStream(3, site_id("mask"), 5), 4, 3});
       }},
      {"sum", {{2, 3}}, [](Inputs x) { return sum(x[0]); }},
      {"reshape",
       {{2, 6}},
       [](Inputs x) {
         return mul(reshape(x[0], {3, -1}), reshape(x[0], {3, 4}));
       }},
      {"permute",
       {{2, 3, 4}},
       [](Inputs x) {
         return contiguous(permute(x[0], {2, 0, 1}));
       }},
      {"matmul", {{3, 5}, {5, 2}}, [](Inputs x) { return matmul(x[0], x[1]); }},
      {"matmul_batched", {{2, 3, 5}, {2, 5, 4}}, [](Inputs x) { return matmul(x[0], x[1]); }},
      {"matmul_broadcast", {{2, 1, 3, 5}, {4, 5, 2}}, [](Inputs x) { return matmul(x[0], x[1]); }},
      {"matmul_of_permuted",
       {{5, 3}, {2, 5}},
       [](Inputs x) {
         return matmul(permute(x[0], {1, 0}), permute(x[1], {1, 0}));
       }},
      {"linear", {{2, 3, 5}, {5, 4}, {4}}, [](Inputs x) { return linear(x[0], x[1], x[2]); }},
      {"linear_without_bias",
       {{3, 5}, {5, 4}},
       [](Inputs x) { return linear(x[0], x[1], Tensor()); }},
      {"linear_out_in",
       {{3, 5}, {4, 5}},
       [](Inputs x) { return linear(x[0], x[1], Tensor(), WeightLayout::out_in); }},
      {"weight_used_twice",
       {{3, 5}, {5, 5}},
       [](Inputs x) { return linear(linear(x[0], x[1], Tensor()), x[1], Tensor()); }},
      {"layer_norm",
       {{2, 3, 7}, {7}, {7}},
       [](Inputs x) { return layer_norm(x[0], x[1], x[2], 1e-5); }},
      {"attention_causal",
       {{2, 5, 18}},
       [](Inputs x) {
         return self_attention(x[0], 2, {.scale = 0.0, .causal = true, .dropout = {}});
       }},
      {"attention_full",
       {{1, 4, 9}},
       [](Inputs x) {
         return self_attention(x[0], 1, {.scale = 0.7, .causal = false, .dropout = {}});
       }},
      {"attention_dropout",
       {{2, 4, 18}},
       [](Inputs x) {
         return self_attention(x[0], 3, {.scale = 0.0, .causal = true, .dropout = some_mask()});
       }},
      {"attention_of_lengths",
       {{2, 3, 2, 4}, {2, 5, 2, 4}, {2, 5, 2, 4}},
       [](Inputs x) {
         const std::vector<std::int32_t> lengths = {2, 5};
         return attention(x[0], x[1], x[2], {.scale = 0.0, .dropout = some_mask(), .first_head = 1},
                          Tensor::from<std::int32_t>(x[0].backend(), {2}, lengths));
       }},
      {"attention_of_late_queries",
       {{1, 2, 1, 3}, {1, 5, 1, 3}, {1, 5, 1, 3}},
       [](Inputs x) { return attention(x[0], x[1], x[2], {.scale = 0.8, .causal = true}); }},
      {"self_attention_of_lengths",
       {{2, 4, 12}},
       [](Inputs x) {
         const std::vector<std::int32_t> lengths = {4, 3};
         return self_attention(x[0], 2, {.scale = 0.0},
                               Tensor::from<std::int32_t>(x[0].backend(), {2}, lengths));
       }},
      {"embedding",
       {{6, 3}},
       [](Inputs x) {
         return embedding(x[0], random_ids(x[0].backend(), {2, 5}, 6));
       }},
      {"embedding_slice",
       {{4, 3}},
       [](Inputs x) {
         return embedding(x[0], random_ids(x[0].backend(), {2, 5}, 9), {.first = 3, .whole = 9});
       }},
      {"cross_entropy",
       {{4, 7}},
       [](Inputs x) {
         const std::vector<std::int32_t> targets = {3, -1, 0, 6};
         return cross_entropy(x[0], Tensor::from<std::int32_t>(x[0].backend(), {4}, targets));
       }},
      {"every_second", {{6, 5}}, [](Inputs x) { return every_second(x[0], 1); }},
      {"interleave", {{3, 5}, {3, 5}}, [](Inputs x) { return interleave(x[0], x[1]); }},
      {"divergence_of_pairs", {{6, 5}}, [](Inputs x) { return divergence_of_pairs(x[0]); }},
      {"smoothed_cross_entropy",
       {{4, 7}},
       [](Inputs x) {
         const std::vector<std::int32_t> targets = {3, -1, 0, 6};
         return cross_entropy(x[0], Tensor::from<std::int32_t>(x[0].backend(), {4}, targets),
                              {.label_smoothing = 0.3, .z_loss = 0.2});
       }},
      {"recompute",
       {{3, 5}, {5, 4}},
       [](Inputs x) {
         const Tensor w = x[1];
         return recompute(
             [w](Inputs in) { return activation(UnaryOp::gelu_tanh, linear(in[0], w, Tensor())); },
             {x[0]});
       }},
  };
}

}  // namespace ty::test
