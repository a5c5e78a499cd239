#include "models/transformer/embeddings.h"

#include <vector>

#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/embedding.h"

namespace ty {

Embeddings::Embeddings(const BlockContext& at, const ModelSpec& spec)
    : sharing_(at.sharing),
      tokens_(make_token_table(at.child("token"), token_table_shape(spec), spec.tied)),
      positions_(declare_along_columns(at.scope, "position.weight", {spec.context, spec.width}, 1,
                                       Init::normal(kEmbeddingStd), at.sharing)),
      dropout_(at.child("dropout"), spec.dropout.embedding) {}

Flow Embeddings::forward(Flow, const ForwardContext& context) const {
  const Tensor& ids = context.batch.at(Column::ids);
  const std::int64_t length = ids.dim(1);
  if (length > positions_.shape[0]) {
    throw ShapeError("model: a sequence of {} tokens is longer than model.context {}", length,
                     positions_.shape[0]);
  }
  const Tensor x = tokens_->embed(ids);
  return {dropout_(add(x, embedding(positions_.value, positions_of(x, length))), context)};
}

Tensor Embeddings::positions_of(const Tensor& x, std::int64_t length) const {
  const std::int64_t count = sharing_.has_own_rows() ? x.dim(0) : length;
  const std::int64_t first = sharing_.has_own_rows() ? sharing_.tensor.rank() * count : 0;
  std::vector<std::int32_t> positions(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    positions[static_cast<std::size_t>(i)] = static_cast<std::int32_t>((first + i) % length);
  }
  return Tensor::from<std::int32_t>(x.backend(), {count}, positions);
}

}  // namespace ty
