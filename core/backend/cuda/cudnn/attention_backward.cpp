#include "core/backend/cuda/cudnn/attention_parts.h"

namespace ty::cudnn {

namespace {

// (1 - p) sum(dy * y) over D, [B, H, Tq, 1]: what the softmax takes off each row's gradients,
// before the scale of what is dropped.
const Node& row_sum(Graph& graph, const Node& dy, const Node& y, const AttentionProblem& p) {
  const Node& products = graph.pointwise(CUDNN_POINTWISE_MUL, dy, &y);
  const Node& sum = graph.reduce(CUDNN_REDUCE_TENSOR_ADD, products);
  const Node& result = row_values(graph, kRowSum, p);
  graph.pointwise_into(result, CUDNN_POINTWISE_MUL, sum, &graph.scalar(p.keep));
  return result;
}

// dq = ds k: by way of fp32 sums in memory, or straight.
void add_dq(Graph& graph, const Node& ds, const Node& kt, const AttentionProblem& p,
            const Lengths& lengths) {
  const Extents extents = {.rows = lengths.queries, .inner = lengths.keys};
  const Node& k = graph.transpose(kt, data_type(p.dtype));
  const Node& dq = rows_of(graph, kDq, p, p.dq, p.queries);
  if (p.gradients == Gradients::repeatable) return graph.matmul_into(dq, ds, k, extents);
  const Dims shape = {p.batch, p.heads, p.queries, p.width};
  const Node& sums = graph.tensor(kQuerySum, {shape, packed(shape), CUDNN_DATA_FLOAT});
  graph.matmul_into(sums, ds, k, extents);
  graph.pointwise_into(dq, CUDNN_POINTWISE_IDENTITY, sums);
}

}  // namespace

// With w the softmax, r the factors of what is dropped and c their scale:
//   w = exp(hide(scale q k^T - lse))         dv = (c r w)^T dy
//   ds = scale c w (r dy v^T - row_sum)      dk = ds^T q, dq = ds k
Graph attention_grad_graph(const AttentionProblem& p) {
  Graph graph;
  const Node& q = rows_of(graph, kQ, p, p.q, p.queries);
  const Node& kt = columns_of(graph, kK, p, p.k, p.keys);
  const Node& vt = columns_of(graph, kV, p, p.v, p.keys);
  const Node& y = rows_of(graph, kY, p, p.y, p.queries);
  const Node& dy = rows_of(graph, kDy, p, p.dy, p.queries);
  const Node& dk = rows_of(graph, kDk, p, p.dk, p.keys);
  const Node& dv = rows_of(graph, kDv, p, p.dv, p.keys);
  const Node& lse = row_values(graph, kLse, p);
  const Lengths lengths = lengths_of(graph, p);
  const cudnnDataType_t type = data_type(p.dtype);
  const Extents scores = {.rows = lengths.queries, .columns = lengths.keys};
  const Extents of_keys = {.rows = lengths.keys, .inner = lengths.queries};
  const Node& factor = graph.scalar(p.scale);
  const DropFactors drops = drop_factors(graph, p);

  const Node& taken_off = row_sum(graph, dy, y, p);
  const Node& products = graph.pointwise(CUDNN_POINTWISE_MUL, graph.matmul(q, kt, scores), &factor);
  const Node& shifted = graph.pointwise(CUDNN_POINTWISE_SUB, products, &lse);
  const Node& weights = graph.pointwise(CUDNN_POINTWISE_EXP, hide(graph, shifted, p, lengths));
  const Node& kept =
      drops.each == nullptr ? weights : drop(graph, weights, drops, CUDNN_DATA_FLOAT);
  graph.matmul_into(dv, graph.transpose(kept, type), dy, of_keys);

  const Node* slope = &graph.matmul(dy, vt, scores);
  if (drops.each != nullptr) slope = &graph.pointwise(CUDNN_POINTWISE_MUL, *slope, drops.each);
  slope = &graph.pointwise(CUDNN_POINTWISE_SUB, *slope, &taken_off);
  slope = &graph.pointwise(CUDNN_POINTWISE_MUL, *slope, &weights);
  if (drops.scale != nullptr) slope = &graph.pointwise(CUDNN_POINTWISE_MUL, *slope, drops.scale);
  const Node& ds = graph.pointwise(CUDNN_POINTWISE_MUL, *slope, &factor, type);
  graph.matmul_into(dk, graph.transpose(ds, type), q, of_keys);
  add_dq(graph, ds, kt, p, lengths);
  return graph;
}

}  // namespace ty::cudnn
