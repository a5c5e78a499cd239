#include "models/transformer/language_head.h"

#include "core/base/error.h"
#include "core/ops/bias.h"
#include "core/ops/elementwise.h"
#include "models/transformer/text_embeddings.h"

namespace ty {

LanguageHead::LanguageHead(const BlockContext& at, const ModelSpec& spec)
    : activation_(spec.activation),
      vocabulary_{.slice = {own_part(0, spec.vocab, at.sharing).first, spec.vocab},
                  .ranks = at.sharing.tensor,
                  .reduction = at.sharing.reduction} {
  if (spec.vocab < at.sharing.ranks()) {
    throw ConfigError(Key{"parallel.tensor"},
                      "{} ranks cannot share model.vocab = {}; want at most {}", at.sharing.ranks(),
                      spec.vocab, spec.vocab);
  }
  vocabulary_.shards = own_shards(spec.vocab, at.sharing);
  if (spec.final_norm) norm_.emplace(at.child("norm"), spec.width, spec.norm_epsilon);
  if (spec.head.transform) {
    transform_ = make_outside_linear(at, "transform", {.in = spec.width, .out = spec.width});
    transform_norm_.emplace(at.child("transform_norm"), spec.width, spec.norm_epsilon);
  }
  if (spec.token_width() != spec.width) {
    project_ = make_outside_linear(at, "project",
                                   {.in = spec.width, .out = spec.token_width(), .bias = false});
  }
  if (spec.has_tied_head()) {
    table_ = tied_token_table(at, "embeddings.token", token_table_shape(spec));
  } else {
    linear_ = at.make_linear("linear", {.in = spec.token_width(), .out = spec.vocab, .bias = false},
                             Split::out);
  }
  if (spec.head.bias) {
    bias_ = &at.scope.parameter("bias", {own_count(spec.vocab, at.sharing)}, Init::constant(0.0),
                                placed_part(0, spec.vocab, at.sharing));
  }
}

Flow LanguageHead::forward(Flow in, const ForwardContext&) const {
  Tensor h = norm_ ? (*norm_)(in.hidden) : in.hidden;
  if (transform_) h = (*transform_norm_)(activation(activation_, transform_->forward(h)));
  if (project_) h = project_->forward(h);
  return {linear_ ? linear_->enter(h) : table_->enter(h)};
}

Tensor LanguageHead::logits(const Tensor& hidden) const {
  const Tensor scores = linear_ ? linear_->apply(hidden) : table_->apply(hidden);
  return bias_ != nullptr ? biased(scores, bias_->value) : scores;
}

}  // namespace ty
