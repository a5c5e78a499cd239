// Logits of which each rank of a tensor group has the columns of its part of the vocabulary.
#pragma once

#include "core/autograd/graph.h"
#include "parallel/comm/communicator.h"
#include "parallel/data/reduction.h"

namespace ty {

// The part of this rank, and those that have the others; one rank has all of it. With canonical
// sums, each of its shards is a part of its own.
struct SharedVocabulary {
  VocabularySlice slice = {};
  Group ranks = {};
  Shards shards = {};
  Reduction reduction = Reduction::fast;
};

// As cross_entropy() (core/ops/loss.h), of own columns of the logits [N, own V]: the sum over all N
// rows, the same on every rank. Of each row, one number is added up over the ranks and
// one gathered, whatever the terms. A collective call.
Tensor cross_entropy(const Tensor& logits, const Tensor& targets,
                     const SharedVocabulary& vocabulary, const CrossEntropyTerms& terms = {});

// All columns [N, V] from every rank's own [N, own V]; not differentiable. A collective call.
Tensor all_logits(const Tensor& logits, const SharedVocabulary& vocabulary);

}  // namespace ty
