// Keys and values of the tokens that a model has read, so that the next ones are computed alone
// (Pope et al., arXiv 2211.05102).
//
//   keys of one layer [B, H, capacity, D]     sequence 0:  k k k k k . . .   length 5
//                                             sequence 1:  k k k . . . . .   length 3
//
// Sequences may differ in length: padding is on their right, and later tokens are written over it.
// Each layer's memory is taken once, at its first write, so a rank has that of its own layers and
// heads.
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
  // Of one attention layer: [B, H, capacity, D] each; of fixed ones, as they were made.
  struct Entry {
    Tensor keys, values;
  };

  // For so many sequences of at most `capacity` tokens each.
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
  // What make() returned at a layer's first call: the keys and values of an encoder, of any number
  // of tokens.
  const Entry& fixed(std::uint64_t site, const std::function<Entry()>& make);

  // Counts new tokens after all layers have read them: counts[b] of sequence b, at most the T that
  // were written; the others were padding.
  void advance(std::span<const std::int64_t> counts);
  // Sequence i becomes what sequences[i] was; there may be more or fewer than before.
  void keep(std::span<const std::int64_t> sequences);

 private:
  Entry& entry_for(std::uint64_t site, const View& keys);
  void write(const Tensor& kept, const View& fresh) const;

  std::int64_t capacity_;
  std::vector<std::int64_t> lengths_;
  std::map<std::uint64_t, Entry> growing_, fixed_;
  Tensor seen_;  // [B] int32: keys that the token of this pass sees, if lengths differ
};

}  // namespace ty
