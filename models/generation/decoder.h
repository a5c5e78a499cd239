// What follows each of a batch of sequences: one pass over the model per call, of the new tokens
// alone where a key-value cache holds the others.
//
// A decoder alone goes on from prompts. An encoder-decoder reads them with its encoder, once where
// there is a cache, and writes sequences of their own, which begin with one id for all.
//
// Sequences may differ in length; shorter ones are padded on the right, where causal attention does
// not look. Once a sequence is longer than the model's context, the model sees its last `context`
// ids: their positions move with every token, so that nothing kept can be used, and each pass reads
// all of them again.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "models/transformer/kv_cache.h"
#include "models/transformer/model.h"

namespace ty {

using Ids = std::vector<std::int32_t>;

// A model that generates. All stages of a pipeline that share it make the same calls and get the
// same results.
struct Generator {
  const Model& model;
  Backend& backend;
  std::int64_t context = 0;  // most ids that the model sees
  Group pipeline = {};
  bool cached = true;  // keep keys and values; without, every pass reads all ids again
  std::optional<std::int32_t> decoder_start = {};  // of an encoder-decoder: its decoder's first id
};

class Decoder {
 public:
  // For sequences that grow by `max_tokens` each. Generator and what it refers to must outlive
  // this.
  Decoder(const Generator& generator, std::int64_t max_tokens)
      : generator_(generator), max_tokens_(max_tokens) {}

  // Begins with prompts of at least one id each (for an encoder, at most `context`). Returns the
  // logits [V] of what follows each; throws NonFiniteError if they are not finite.
  std::vector<std::vector<float>> start(std::vector<Ids> prompts);
  // Adds one id to each sequence. Likewise.
  std::vector<std::vector<float>> add(std::span<const std::int32_t> ids);
  // Sequence i becomes what sequences[i] was: to branch, and to leave out what has ended.
  void keep(std::span<const std::int64_t> sequences);

  // What the model goes on from: prompts, or what its decoder has written, and what was added.
  const std::vector<Ids>& sequences() const { return sequences_; }
  std::int64_t cache_bytes() const { return cache_ ? cache_->bytes() : 0; }

 private:
  bool fits() const;
  // The last counts[b] ids of each sequence, and its source unless the cache knows it.
  Batch batch_of(std::span<const std::int64_t> counts) const;
  // One pass over them.
  std::vector<std::vector<float>> read(std::span<const std::int64_t> counts);
  std::vector<std::vector<float>> read_windows();
  std::vector<std::vector<float>> logits_of(const Tensor& hidden,
                                            std::span<const std::int64_t> counts) const;

  const Generator& generator_;
  std::int64_t max_tokens_;
  std::vector<Ids> sequences_;
  std::vector<Ids> sources_;  // of each sequence, for an encoder; else empty
  std::optional<KvCache> cache_;
};

}  // namespace ty
