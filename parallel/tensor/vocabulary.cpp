#include "parallel/tensor/vocabulary.h"

#include <algorithm>

#include "core/autograd/replay.h"
#include "core/base/even_parts.h"
#include "core/ops/elementwise.h"
#include "core/ops/loss.h"

namespace ty {

namespace {

// A part of the vocabulary without any id: kernels know by it which rows count, and no more.
VocabularySlice no_part(const VocabularySlice& slice) { return {slice.whole, slice.whole}; }

// x [N] of every rank, by row: [N, n].
Tensor side_by_side(const Tensor& x, const Group& ranks) {
  const Tensor all = Tensor::empty(x.backend(), {ranks.size(), x.numel()}, x.dtype());
  ranks.all_gather(all.view(), x.view()).wait();
  return all.alias(all.view().transpose(0, 1)).contiguous();
}

// What each row of the whole vocabulary comes to.
struct Rows {
  Tensor loss, lse;  // [N]
};

// The terms of the targets and of the smoothing's mean add up over the ranks, so the kernel works
// them out of own columns; that of lse^2 is of the whole row:
//
//   loss_r = lse_r - (own share of the logits that are wanted)     kernel, without z
//   lse    = log sum_r exp(lse_r)                                  kernel, of lse_r [N, n]
//   loss   = lse + z lse^2 + sum_r (loss_r - lse_r)                the first two by the same call
Rows rows_of(const Tensor& logits, const Tensor& targets, const SharedVocabulary& vocabulary,
             const CrossEntropyTerms& terms) {
  Backend& backend = logits.backend();
  const Shape rows = {logits.dim(0)};
  const DType wide = accumulator_of(logits.dtype());
  const auto empty = [&] { return Tensor::empty(backend, rows, wide); };
  const Tensor own_loss = empty(), own_lse = empty(), counted = empty(), unused = empty();
  backend.cross_entropy(own_loss.view(), own_lse.view(), logits.view(), targets.view(),
                        vocabulary.slice, {.label_smoothing = terms.label_smoothing});
  const VocabularySlice none = no_part(vocabulary.slice);
  // Own lse_r where the row counts, else 0.
  backend.cross_entropy(counted.view(), unused.view(), own_lse.view().reshape({rows[0], 1}),
                        targets.view(), none);
  backend.axpby(own_loss.view(), -1.0, counted.view(), 1.0);
  vocabulary.ranks.all_reduce(own_loss.view(), ReduceOp::sum).wait();
  const Rows whole = {empty(), empty()};
  const Tensor parts = side_by_side(own_lse, vocabulary.ranks);
  backend.cross_entropy(whole.loss.view(), whole.lse.view(), parts.view(), targets.view(), none,
                        {.z_loss = terms.z_loss});
  backend.axpby(whole.loss.view(), 1.0, own_loss.view(), 1.0);
  return whole;
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& targets,
                     const SharedVocabulary& vocabulary, const CrossEntropyTerms& terms) {
  if (vocabulary.ranks.size() == 1) return cross_entropy(logits, targets, terms);
  const Tensor input = logits.contiguous();
  const Rows rows = rows_of(input, targets, vocabulary, terms);
  return record("vocabulary_cross_entropy", reduce_to(rows.loss, {1}), {logits},
                [logits = saved(input), lse = saved(rows.lse), targets = saved(targets),
                 slice = vocabulary.slice, terms](const Tensor& dy) mutable {
                  const Tensor kept = logits.take();
                  Tensor dlogits = reuse_or_empty(kept);
                  dy.backend().cross_entropy_grad(dlogits.view(), kept.view(), lse->view(),
                                                  targets->view(), dy.view().expand({kept.dim(0)}),
                                                  slice, terms);
                  return Grads{dlogits};
                });
}

Tensor all_logits(const Tensor& logits, const SharedVocabulary& vocabulary) {
  const Group& ranks = vocabulary.ranks;
  if (ranks.size() == 1) return logits;
  // Parts may differ by one column: all are sent at the largest one's size.
  Backend& backend = logits.backend();
  const std::int64_t rows = logits.dim(0), whole = vocabulary.slice.whole;
  const std::int64_t most = (whole + ranks.size() - 1) / ranks.size();
  const Tensor own = Tensor::full(backend, {rows, most}, logits.dtype(), 0.0);
  backend.copy(own.view().slice(1, 0, logits.dim(1)), logits.view());
  const Tensor parts = Tensor::empty(backend, {ranks.size(), rows, most}, logits.dtype());
  ranks.all_gather(parts.view(), own.view()).wait();
  const Tensor all = Tensor::empty(backend, {rows, whole}, logits.dtype());
  for (int r = 0; r < ranks.size(); ++r) {
    const Range part = even_part(whole, r, ranks.size());
    backend.copy(all.view().slice(1, part.first, part.count),
                 parts.view()[r].slice(1, 0, part.count));
  }
  return all;
}

}  // namespace ty
