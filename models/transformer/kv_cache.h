// Keys and values of the tokens that a model has read, so that the next ones are computed alone
// (Pope et al., arXiv 2211.05102).
//
//   keys of one layer [B, H, capacity, D]     sequence 0:  k k k k k . . .   length 5
//                                             sequence 1:  k k k . . . . .   length 3
//
// Sequences may differ in length: padding is on their right, and later tokens are written over it.
// Each layer's memory is taken once, at its first write, so a rank has that of its own layers and
// heads.
//
// A decoder that attends to what an encoder returned keeps that once for each source, however many
// sequences are written about it:
//
//   keys of one layer [sources, H, S, D]      sequences 0, 1, 2: source 0     3, 4, 5: source 1
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "core/tensor/tensor.h"

namespace ty {

class KvCache {
 public:
  // Of one attention layer: [B, H, capacity, D] each, of sources [sources, H, S, D].
  struct Entry {
    Tensor keys, values;
  };

  // For so many sequences of at most `capacity` tokens each; each has a source of its own, if any.
  KvCache(std::int64_t sequences, std::int64_t capacity);

  std::int64_t sequences() const { return std::ssize(lengths_); }
  std::int64_t capacity() const { return capacity_; }
  // Tokens held of each sequence, which is the position of its next one.
  std::span<const std::int64_t> lengths() const { return lengths_; }
  std::int64_t longest() const;
  bool is_even() const;        // whether all lengths are equal
  std::int64_t bytes() const;  // of all layers' keys and values

  // Self-attention of T new tokens of each sequence to those held and to each other: their keys and
  // values are written behind the sequence's length. qkv [B, T, 3C] ordered head by head as in
  // core/ops/attention.h, the result is [B, T, C]; `site` names the layer. If lengths differ, T is
  // 1. Not differentiable. Throws InternalError if the tokens do not fit.
  Tensor attend(std::uint64_t site, const Tensor& qkv, std::int64_t heads,
                AttentionOptions options);
  // Attention of T new tokens of each sequence to its source. q [B, T, H D], the result likewise.
  // make() gives the sources' keys and values at a layer's first call, and set_source_lengths() how
  // many of their S tokens are no padding (all, if it was not called). Not differentiable.
  Tensor attend_source(std::uint64_t site, const Tensor& q, std::int64_t heads,
                       const AttentionOptions& options, const std::function<Entry()>& make);
  void set_source_lengths(const Tensor& lengths) { source_lengths_ = lengths; }  // [sources] int32

  // Counts new tokens after all layers have read them: counts[b] of sequence b, at most the T that
  // were written; the others were padding.
  void advance(std::span<const std::int64_t> counts);
  // Sequence i becomes what sequences[i] was; there may be more or fewer than before. Sources stay.
  void keep(std::span<const std::int64_t> sequences);

 private:
  // Consecutive sequences whose sources are consecutive, with as many sequences for each.
  struct Run {
    std::int64_t first, count;     // sequences
    std::int64_t source, sources;  // the first, and how many
  };
  std::vector<Run> runs() const;
  Entry& entry_for(std::uint64_t site, const View& keys);
  void write(const Tensor& kept, const View& fresh) const;

  std::int64_t capacity_;
  std::vector<std::int64_t> lengths_, sources_;  // of each sequence
  std::map<std::uint64_t, Entry> growing_, fixed_;
  Tensor source_lengths_;
  Tensor seen_;  // [B] int32: keys that the token of this pass sees, if lengths differ
};

}  // namespace ty
