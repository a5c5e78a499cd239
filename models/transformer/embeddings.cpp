#include "models/transformer/embeddings.h"

#include <numeric>

#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/embedding.h"

namespace ty {

Embeddings::Embeddings(const BlockContext& at, const ModelSpec& spec)
    : tokens_(make_token_table(at.child("token"),
                               {.vocab = spec.vocab, .width = spec.width, .std = kEmbeddingStd},
                               spec.tied)),
      positions_(at.scope.parameter("position.weight", {spec.context, spec.width},
                                    Init::normal(kEmbeddingStd))),
      dropout_(at.scope.child("dropout"), spec.dropout.embedding) {}

Flow Embeddings::forward(Flow, const ForwardContext& context) const {
  const Tensor& ids = context.batch.at(Column::ids);
  const std::int64_t length = ids.dim(1);
  if (length > positions_.shape[0]) {
    throw ShapeError("model: a sequence of {} tokens is longer than model.context {}", length,
                     positions_.shape[0]);
  }
  std::vector<std::int32_t> order(static_cast<std::size_t>(length));
  std::iota(order.begin(), order.end(), 0);
  const Tensor places = Tensor::from<std::int32_t>(ids.backend(), {length}, order);
  const Tensor x = add(tokens_->embed(ids), embedding(positions_.value, places));
  return {dropout_(x, context)};
}

}  // namespace ty
