// What stands for a token before the first block: its vector, and those of its position and type.
#pragma once

#include <memory>
#include <optional>

#include "models/linear/base/linear.h"
#include "models/transformer/dropout.h"
#include "models/transformer/norm.h"
#include "models/transformer/spec.h"
#include "models/transformer/token_table.h"

namespace ty {

inline constexpr double kEmbeddingStd = 0.02;  // of all tables at the start

inline TokenTableShape token_table_shape(const ModelSpec& spec) {
  return {.vocab = spec.vocab, .width = spec.token_width(), .std = kEmbeddingStd};
}

// Vectors of positions 0, 1, .. of each sequence.
class Positions {
 public:
  // Declares the table [context + offset, C] at `at`; its first `offset` rows are not used.
  Positions(const BlockContext& at, std::int64_t context, std::int64_t offset, std::int64_t width);
  // x [B, T, C], or own rows or columns of it, plus the vectors; T is `length`. Behind what a cache
  // holds of each sequence, if there is one. Throws ShapeError for sequences longer than the
  // context.
  Tensor add_to(const Tensor& x, std::int64_t length, const KvCache* cache) const;

 private:
  // Rows of the table, int32: by T, or of own rows one by one.
  Tensor rows_for(const Tensor& x, std::int64_t length) const;
  // Of the next T tokens of each sequence that a cache holds: [B, T].
  Tensor rows_behind(const KvCache& cache, const Tensor& x, std::int64_t length) const;

  Sharing sharing_;
  std::int64_t offset_;
  const Parameter& table_;
};

// Rows of a small table that every rank holds, by ids [B, T]: [B, T, C] or own rows or columns.
Tensor embed_outside(const Parameter& table, const Tensor& ids, const Sharing& sharing);

// All of it but the token vectors themselves: positions, types, norm and dropout, in this order.
class TokenPlaces {
 public:
  TokenPlaces(const BlockContext& at, const ModelSpec& spec, bool has_types);
  // tokens: [B, T, C] or own rows or columns of it; types: [B, T] int32 or undefined.
  Tensor operator()(Tensor tokens, std::int64_t length, const Tensor& types,
                    const ForwardContext& context) const;

 private:
  Sharing sharing_;
  Positions positions_;
  const Parameter* types_;
  std::optional<Norm> norm_;
  Dropout dropout_;
};

// The first block of a model of texts. That of an encoder-decoder makes both sides' embeddings:
// hidden is the encoder's, memory the decoder's, which the encoder's blocks hand on.
class TextEmbeddings final : public Block {
 public:
  TextEmbeddings(const BlockContext& at, const ModelSpec& spec);
  Flow forward(Flow in, const ForwardContext& context) const override;

 private:
  // ids [B, T] -> [B, T, C] or own rows or columns of it.
  Tensor vectors(const Tensor& ids) const;

  double scale_;  // of the token vectors
  std::unique_ptr<TokenTable> tokens_;
  std::unique_ptr<Linear> project_;  // if they have another width than C
  TokenPlaces places_;
  std::optional<TokenPlaces> decoder_places_;
};

}  // namespace ty
