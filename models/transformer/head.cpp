#include "models/transformer/head.h"

namespace ty {

Head::Head(const BlockContext& at, const ModelSpec& spec)
    : norm_(at.scope.child("norm"), spec.width, spec.norm_epsilon) {
  if (spec.tied) {
    table_ = find_token_table(at.scope.store(), "embeddings.token");
  } else {
    linear_ =
        at.make_linear("linear", {.in = spec.width, .out = spec.vocab, .bias = false}, Split::out);
  }
}

Flow Head::forward(Flow in, const ForwardContext&) const {
  const Tensor h = norm_(in.hidden);
  return {linear_ ? linear_->forward(h) : table_->logits(h)};
}

}  // namespace ty
