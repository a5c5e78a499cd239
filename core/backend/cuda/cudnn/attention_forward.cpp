#include "core/backend/cuda/cudnn/attention_parts.h"

namespace ty::cudnn {

// s = hide(scale q k^T), m = max s, e = exp(s - m), z = sum e, lse = m + log z, y = drop(e / z) v.
Graph attention_graph(const AttentionProblem& p) {
  Graph graph;
  const Node& q = rows_of(graph, kQ, p, p.q, p.queries);
  const Node& kt = columns_of(graph, kK, p, p.k, p.keys);
  const Node& v = rows_of(graph, kV, p, p.v, p.keys);
  const Node& y = rows_of(graph, kY, p, p.y, p.queries);
  const Node& lse = row_values(graph, kLse, p);
  const Lengths lengths = lengths_of(graph, p);
  const cudnnDataType_t type = data_type(p.dtype);

  const Node& products = graph.matmul(q, kt, {.rows = lengths.queries, .columns = lengths.keys});
  const Node& scores = hide(
      graph, graph.pointwise(CUDNN_POINTWISE_MUL, products, &graph.scalar(p.scale)), p, lengths);
  const Node& top = graph.reduce(CUDNN_REDUCE_TENSOR_MAX, scores);
  const Node& terms =
      graph.pointwise(CUDNN_POINTWISE_EXP, graph.pointwise(CUDNN_POINTWISE_SUB, scores, &top));
  const Node& sum = graph.reduce(CUDNN_REDUCE_TENSOR_ADD, terms);
  graph.pointwise_into(lse, CUDNN_POINTWISE_ADD, top, &graph.pointwise(CUDNN_POINTWISE_LOG, sum));
  const bool drops = p.drops != Drops::nothing;
  const Node* weights =
      &graph.pointwise(CUDNN_POINTWISE_DIV, terms, &sum, drops ? CUDNN_DATA_FLOAT : type);
  if (drops) weights = &drop(graph, *weights, drop_factors(graph, p), type);
  graph.matmul_into(y, *weights, v, {.rows = lengths.queries, .inner = lengths.keys});
  return graph;
}

}  // namespace ty::cudnn
