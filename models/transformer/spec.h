// A transformer as data: sizes, switches and linear layers. Families differ in which of these they
// set, and in how they are stored (models/families).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/backend/backend.h"
#include "models/linear/rules.h"
#include "models/transformer/block.h"

namespace ty {

// Probabilities with which numbers are dropped in training.
struct DropoutRates {
  double embedding = 0.0;  // of token and position vectors together
  double attention = 0.0;  // of attention probabilities
  double residual = 0.0;   // of what attention and MLP add
  double inner = 0.0;      // of what the MLP's activation gives
  double head = 0.0;       // of what the layer to the labels reads

  static DropoutRates all(double p) { return {p, p, p, 0.0, p}; }
};

// Which token stands for a sequence: the first, or the last that is no padding.
enum class Pooling : std::uint8_t { first, last };

// What a model returns. none: the last block's result. language: a score of each id of the
// vocabulary for each token. labels: a score of each label for each sequence. values: the same
// layer, whose results are numbers to be predicted.
struct HeadSpec {
  enum class Kind : std::uint8_t { none, language, labels, values };
  Kind kind = Kind::language;
  // language:
  bool transform = false;  // a linear layer, the activation and a norm before the table
  bool bias = false;       // of the scores
  // labels and values:
  std::int64_t labels = 0;
  bool label_bias = true;
  // These and none:
  Pooling pooling = Pooling::first;
  std::optional<UnaryOp> pooler = {};  // a linear layer and this function of the pooled token

  bool is_pooled() const { return kind == Kind::labels || kind == Kind::values; }
  friend bool operator==(const HeadSpec&, const HeadSpec&) = default;
};

// Images that are cut into square patches; patch 0: the model reads tokens.
struct ImageShape {
  std::int64_t channels = 3, size = 224, patch = 0;

  std::int64_t patches() const { return (size / patch) * (size / patch); }
  std::int64_t patch_numbers() const { return channels * patch * patch; }
};

// A chain of blocks between embeddings and a head (Vaswani et al., arXiv 1706.03762):
//
//   decoder           norm_first, causal                    Radford et al., 2019; arXiv 2205.01068
//   encoder           neither                               Devlin et al., arXiv 1810.04805
//   image encoder     norm_first, image                     Dosovitskiy et al., arXiv 2010.11929
//   encoder-decoder   encoder_layers, causal                Lewis et al., arXiv 1910.13461
struct ModelSpec {
  std::string family = "gpt2";  // a row of models/families
  std::int64_t layers = 12;     // blocks; of an encoder-decoder, the decoder's
  std::int64_t encoder_layers = 0;
  std::int64_t width = 768;          // C
  std::int64_t embedding_width = 0;  // of token vectors; 0 means C
  std::int64_t heads = 12;           // H
  std::int64_t inner = 0;            // F; 0 means 4 C
  std::int64_t context = 1024;       // longest sequence
  std::int64_t vocab = 50257;        // V
  std::int64_t types = 0;            // of tokens; 0: none
  std::int64_t position_offset = 0;  // rows of the position table before the first position
  ImageShape image = {};
  HeadSpec head = {};
  DropoutRates dropout = {};
  bool tied = true;              // the head reads the token table
  bool causal = true;            // a token sees those before it alone
  bool norm_first = true;        // norms lie before attention and MLP; else after their sums
  bool final_norm = true;        // a norm after the last block
  bool embedding_norm = false;   // and one after the embeddings
  bool scale_embedding = false;  // token vectors are multiplied by sqrt(C)
  bool scale_by_width = true;    // attention scores are divided by sqrt(C / H)
  bool scale_by_depth = false;   // and by the number of their block, from 1
  UnaryOp activation = UnaryOp::gelu_tanh;
  double norm_epsilon = 1e-5;
  std::vector<LinearRule> linear = {};  // what its linear layers are made of
  std::string public_keys = {};         // the config.json it was read from, if any: JSON text

  // F.
  std::int64_t inner_width() const { return inner == 0 ? 4 * width : inner; }
  // Width of a token's vector before it is projected to C.
  std::int64_t token_width() const { return embedding_width == 0 ? width : embedding_width; }
  bool has_encoder() const { return encoder_layers > 0; }
  bool reads_images() const { return image.patch > 0; }
  // Whether it gives the next token of a text: a decoder with a head of the vocabulary.
  bool generates() const {
    return head.kind == HeadSpec::Kind::language && causal && !reads_images();
  }
  // Whether it does so for a text that it goes on with: a decoder alone.
  bool writes_texts() const { return generates() && !has_encoder(); }
  // Whether it gives tokens that were hidden from it: an encoder with a head of the vocabulary.
  bool fills_masks() const {
    return head.kind == HeadSpec::Kind::language && !causal && !has_encoder() && !reads_images();
  }
  // Whether it writes a text for each that it reads: an encoder-decoder.
  bool answers_texts() const { return generates() && has_encoder(); }
  bool has_tied_head() const { return tied && head.kind == HeadSpec::Kind::language; }
  // Whether sequences may be padded: all but those of a language model that reads one way.
  bool reads_lengths() const { return !reads_images() && !writes_texts(); }
  // Blocks of all kinds, with embeddings and head.
  std::int64_t blocks() const { return encoder_layers + layers + 2; }
  // Tokens of a sequence of an image model: its patches and the class token.
  std::int64_t image_tokens() const { return image.patches() + 1; }
};

// "embeddings", "encoder.blocks.0" .., "blocks.0" .. "blocks.L-1", "head". Throws ConfigError if
// sizes do not fit together.
ModelDescription describe_model(const ModelSpec& spec);

}  // namespace ty
