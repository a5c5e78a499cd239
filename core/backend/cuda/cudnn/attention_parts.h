// What the two graphs of attention have in common.
#pragma once

#include "core/backend/cuda/cudnn/attention_graph.h"

namespace ty::cudnn {

cudnnDataType_t data_type(DType dtype);

// Operands [B, H, T, D], and the same memory as [B, H, D, T].
const Node& rows_of(Graph& graph, TensorId id, const AttentionProblem& p, const HeadStrides& at,
                    std::int64_t rows);
const Node& columns_of(Graph& graph, TensorId id, const AttentionProblem& p, const HeadStrides& at,
                       std::int64_t rows);
// [B, H, Tq, 1] fp32, packed.
const Node& row_values(Graph& graph, TensorId id, const AttentionProblem& p);

// How many queries and keys of each batch entry count; null where all do.
struct Lengths {
  const Node* queries = nullptr;
  const Node* keys = nullptr;
};
Lengths lengths_of(Graph& graph, const AttentionProblem& p);

// x [B, H, Tq, Tk] with -inf where a query does not see a key.
const Node& hide(Graph& graph, const Node& x, const AttentionProblem& p, const Lengths& lengths);

// The factors of what is dropped.
struct DropFactors {
  const Node* each = nullptr;   // [B, H, Tq, Tk], 0 or 1; null: nothing is dropped
  const Node* scale = nullptr;  // 1 / (1 - p)
};
DropFactors drop_factors(Graph& graph, const AttentionProblem& p);
// x times them, the result as `type`.
const Node& drop(Graph& graph, const Node& x, const DropFactors& factors, cudnnDataType_t type);

}  // namespace ty::cudnn
