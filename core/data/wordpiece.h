// WordPiece, as in BERT (Devlin et al., arXiv 1810.04805; Wu et al., arXiv 1609.08144): of a word
// the longest start that is a token is taken, then the longest start of the rest among the tokens
// that continue a word, until nothing is left. A word that cannot be cut so is unknown.
//
//   vocabulary  un  ##aff  ##able  ##a        "unaffable"  un ##aff ##able      "unfit"  [UNK]
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/data/bert_normalizer.h"
#include "core/data/bert_words.h"
#include "core/data/piece_trie.h"
#include "core/data/tokenizer.h"

namespace ty {

// How pieces become text again: those that begin with the prefix are joined to the piece before,
// the others with a space; `cleanup` removes spaces before punctuation.
struct WordPieceDecoder {
  std::string prefix = "##";
  bool cleanup = true;
};

// What defines a WordPiece tokenizer.
struct WordPieceModel {
  Vocabulary vocabulary;
  BertNormalizerSpec normalizer;
  std::vector<std::string> pieces;  // by id; "": not a token of the model
  std::string prefix = "##";        // of pieces that continue a word
  std::int32_t unknown = 0;         // stands for a word that cannot be cut
  std::int64_t longest_word = 100;  // characters; longer words are unknown
  std::optional<WordPieceDecoder> decoder = WordPieceDecoder();  // nothing: spaces between all
};

class WordPieceTokenizer final : public Tokenizer {
 public:
  explicit WordPieceTokenizer(WordPieceModel model, TokenizerFiles files = {});
  TokenizerKind kind() const override { return TokenizerKind::wordpiece; }
  std::vector<std::string_view> pieces(std::string_view text, std::size_t bytes) const override;
  // The text with single spaces between words, as it was normalized.
  std::string decode(std::span<const std::int32_t> ids) const override;
  bool continues_word(std::int32_t id) const override;
  void save(const std::filesystem::path& directory) const override;

 protected:
  void encode_plain(std::string_view text, std::size_t position,
                    std::vector<std::int32_t>& ids) const override;
  std::string definition() const override;
  std::string made_json() const override;

 private:
  void encode_word(std::string_view word, std::vector<std::int32_t>& ids) const;
  bool is_too_long(std::string_view word) const;
  nlohmann::json model_json() const;
  // One piece per line, if that says all.
  std::optional<std::string> vocab_txt() const;

  BertNormalizerSpec normalizer_;
  std::vector<std::string> pieces_;
  std::vector<std::string> texts_;  // by id, of `normalized` tokens as they are looked for
  std::string prefix_;
  std::int32_t unknown_;
  std::int64_t longest_word_;
  std::optional<WordPieceDecoder> decoder_;
  BertWords words_;
  PieceTrie trie_;
  PieceTrie::Node continued_;  // where pieces that continue a word begin
};

inline constexpr std::int64_t kSmallestWordPieceVocab = 6;  // the special tokens and a character

// Learns pieces until there are `vocab` ids (fewer if nothing is left to merge): BPE inside words
// that are cut into characters, with the prefix on all but the first. Ties go to the pair with the
// smaller ids, so the result depends on the text alone. Of more characters than `vocab` has room
// for, the most frequent are kept. [PAD] [UNK] [CLS] [SEP] [MASK] are the first ids.
WordPieceModel train_wordpiece(std::span<const std::string_view> documents, std::int64_t vocab,
                               bool lowercase);

}  // namespace ty
