#include "core/backend/cuda/cudnn/attention_parts.h"

#include <limits>

#include "core/base/error.h"

namespace ty::cudnn {

cudnnDataType_t data_type(DType dtype) {
  switch (dtype) {
    case DType::bf16:
      return CUDNN_DATA_BFLOAT16;
    case DType::f16:
      return CUDNN_DATA_HALF;
    default:
      throw InternalError("cuDNN attention is not for {}", name_of(dtype));
  }
}

const Node& rows_of(Graph& graph, TensorId id, const AttentionProblem& p, const HeadStrides& at,
                    std::int64_t rows) {
  return graph.tensor(
      id, {{p.batch, p.heads, rows, p.width}, {at.batch, at.head, at.row, 1}, data_type(p.dtype)});
}

const Node& columns_of(Graph& graph, TensorId id, const AttentionProblem& p, const HeadStrides& at,
                       std::int64_t rows) {
  return graph.tensor(
      id, {{p.batch, p.heads, p.width, rows}, {at.batch, at.head, 1, at.row}, data_type(p.dtype)});
}

const Node& row_values(Graph& graph, TensorId id, const AttentionProblem& p) {
  const Dims shape = {p.batch, p.heads, p.queries, 1};
  return graph.tensor(id, {shape, packed(shape), CUDNN_DATA_FLOAT});
}

Lengths lengths_of(Graph& graph, const AttentionProblem& p) {
  if (!p.lengths) return {};
  const Form form = {{p.batch, 1, 1, 1}, {1, 1, 1, 1}, CUDNN_DATA_INT32};
  return {&graph.tensor(kQueryLengths, form), &graph.tensor(kKeyLengths, form)};
}

const Node& hide(Graph& graph, const Node& x, const AttentionProblem& p, const Lengths& lengths) {
  constexpr std::int64_t kRows = 2, kColumns = 3;
  constexpr float kHidden = -std::numeric_limits<float>::infinity();
  const Node* y = &x;
  if (p.lengths) {
    const Node& row =
        graph.compare(CUDNN_POINTWISE_CMP_LT, graph.index(*y, kRows), *lengths.queries);
    const Node& column =
        graph.compare(CUDNN_POINTWISE_CMP_LT, graph.index(*y, kColumns), *lengths.keys);
    const Node& both = graph.compare(CUDNN_POINTWISE_LOGICAL_AND, row, column);
    y = &graph.select(*y, graph.scalar(kHidden), both);
  }
  if (p.causal) {
    const Node* row = &graph.index(*y, kRows);
    if (p.keys != p.queries) {  // the last query sees the last key
      const Node& shift = graph.scalar(static_cast<std::int32_t>(p.keys - p.queries));
      row = &graph.integer(CUDNN_POINTWISE_ADD, *row, shift);
    }
    const Node& sees = graph.compare(CUDNN_POINTWISE_CMP_GE, *row, graph.index(*y, kColumns));
    y = &graph.select(*y, graph.scalar(kHidden), sees);
  }
  return *y;
}

DropFactors drop_factors(Graph& graph, const AttentionProblem& p) {
  const Dims shape = {p.batch, p.heads, p.queries, p.keys};
  switch (p.drops) {
    case Drops::nothing:
      return {};
    case Drops::mask:
      return {&graph.tensor(kMask, {shape, packed(shape), data_type(p.dtype)}),
              &graph.scalar(1.0f / p.keep)};
    case Drops::counter:
      break;
  }
  const Form number = {{1, 1, 1, 1}, {1, 1, 1, 1}, CUDNN_DATA_INT64};
  const Node& seed = graph.tensor(kSeed, number);
  const Node& offset = graph.tensor(kOffset, number);
  return {&graph.bernoulli(shape, p.keep, seed, offset), &graph.scalar(1.0f / p.keep)};
}

const Node& drop(Graph& graph, const Node& x, const DropFactors& factors, cudnnDataType_t type) {
  const Node& kept = graph.pointwise(CUDNN_POINTWISE_MUL, x, factors.each);
  return graph.pointwise(CUDNN_POINTWISE_MUL, kept, factors.scale, type);
}

}  // namespace ty::cudnn
