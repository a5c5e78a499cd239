#include "models/transformer/head.h"

#include "core/base/error.h"
#include "models/transformer/embeddings.h"

namespace ty {

Head::Head(const BlockContext& at, const ModelSpec& spec)
    : norm_(at.child("norm"), spec.width, spec.norm_epsilon),
      vocabulary_{{own_part(0, spec.vocab, at.sharing).first, spec.vocab}, at.sharing.tensor} {
  if (spec.vocab < at.sharing.ranks()) {
    throw ConfigError(Key{"parallel.tensor"},
                      "{} ranks cannot share model.vocab = {}; want at most {}", at.sharing.ranks(),
                      spec.vocab, spec.vocab);
  }
  if (spec.tied) {
    table_ = tied_token_table(at, "embeddings.token", token_table_shape(spec));
  } else {
    linear_ =
        at.make_linear("linear", {.in = spec.width, .out = spec.vocab, .bias = false}, Split::out);
  }
}

Flow Head::forward(Flow in, const ForwardContext&) const {
  const Tensor h = norm_(in.hidden);
  return {linear_ ? linear_->enter(h) : table_->enter(h)};
}

Tensor Head::logits(const Tensor& hidden) const {
  return linear_ ? linear_->apply(hidden) : table_->apply(hidden);
}

}  // namespace ty
