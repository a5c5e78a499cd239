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

// x [n, N] of every rank, by row: [N, ranks n].
Tensor side_by_side(const Tensor& x, const Group& ranks) {
  const Tensor all = Tensor::empty(x.backend(), {ranks.size() * x.dim(0), x.dim(1)}, x.dtype());
  ranks.all_gather(all.view(), x.view()).wait();
  return all.alias(all.view().transpose(0, 1)).contiguous();
}

// The shards of own logits [N, own V]: all of them, if there are none.
Shards parts_of(const Tensor& logits, const SharedVocabulary& vocabulary) {
  return vocabulary.shards.empty() ? Shards{{0, logits.dim(1)}} : vocabulary.shards;
}

// A part of own columns, and where in the vocabulary it lies.
View columns(const Tensor& logits, const Range& part) {
  return logits.view().slice(1, part.first, part.count);
}
VocabularySlice slice_of(const Range& part, const VocabularySlice& own) {
  return {own.first + part.first, own.whole};
}

// What each row of the whole vocabulary comes to.
struct Rows {
  Tensor loss, lse;  // [N]
};

// The terms of the targets and of the smoothing's mean add up over the parts p of all ranks, so the
// kernel works them out of a part's columns; that of lse^2 is of the whole row:
//
//   loss_p = lse_p - (own share of the logits that are wanted)     kernel, without z
//   lse    = log sum_p exp(lse_p)                                  kernel, of lse_p [N, parts]
//   loss   = lse + z lse^2 + sum_p (loss_p - lse_p)                the first two by the same call
Rows rows_of(const Tensor& logits, const Tensor& targets, const SharedVocabulary& vocabulary,
             const CrossEntropyTerms& terms) {
  Backend& backend = logits.backend();
  const Shape rows = {logits.dim(0)};
  const DType wide = accumulator_of(logits.dtype());
  const auto empty = [&] { return Tensor::empty(backend, rows, wide); };
  const Tensor own_loss = empty(), counted = empty(), unused = empty();
  const Shards parts_here = parts_of(logits, vocabulary);
  const auto count = static_cast<std::int64_t>(parts_here.size());
  const Tensor own_lse = Tensor::empty(backend, {count, rows[0]}, wide);
  const VocabularySlice none = no_part(vocabulary.slice);
  add_in_tree(backend, own_loss.view(), 0.0, count, [&](std::int64_t p, const View& loss) {
    const Range& part = parts_here[static_cast<std::size_t>(p)];
    const View lse = own_lse.view()[p];
    backend.cross_entropy(loss, lse, columns(logits, part), targets.view(),
                          slice_of(part, vocabulary.slice),
                          {.label_smoothing = terms.label_smoothing});
    // lse_p where the row counts, else 0.
    backend.cross_entropy(counted.view(), unused.view(), lse.reshape({rows[0], 1}), targets.view(),
                          none);
    backend.axpby(loss, -1.0, counted.view(), 1.0);
  });
  sum_over(vocabulary.ranks, backend, own_loss.view(), vocabulary.reduction);
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
  const bool is_divided = vocabulary.ranks.size() > 1 || !vocabulary.shards.empty();
  if (!is_divided) return cross_entropy(logits, targets, terms);
  const Tensor input = logits.contiguous();
  const Rows rows = rows_of(input, targets, vocabulary, terms);
  return record("vocabulary_cross_entropy", reduce_to(rows.loss, {1}), {logits},
                [logits = saved(input), lse = saved(rows.lse), targets = saved(targets),
                 parts = parts_of(input, vocabulary), slice = vocabulary.slice,
                 terms](const Tensor& dy) mutable {
                  const Tensor kept = logits.take();
                  Tensor dlogits = reuse_or_empty(kept);
                  for (const Range& part : parts) {
                    dy.backend().cross_entropy_grad(
                        columns(dlogits, part), columns(kept, part), lse->view(), targets->view(),
                        dy.view().expand({kept.dim(0)}), slice_of(part, slice), terms);
                  }
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
