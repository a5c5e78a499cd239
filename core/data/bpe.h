// Byte-level byte pair encoding (Sennrich et al., arXiv 1508.07909; bytes as in GPT-2): a text is
// cut into words, a word starts as bytes, and the pair that was merged earliest in training is
// merged first.
//
//   merges   1: l l -> ll   2: h e -> he   3: he ll -> hell
//   "hello"  h e l l o  --1-->  h e ll o  --2-->  he ll o  --3-->  hell o
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/data/tokenizer.h"

namespace ty {

// Ids `left` and `right`, side by side, become `result`.
struct Merge {
  std::int32_t left, right, result;
  friend bool operator==(const Merge&, const Merge&) = default;
};

// What defines a BPE tokenizer.
struct BpeModel {
  Vocabulary vocabulary;
  std::array<std::int32_t, 256> byte_ids{};  // id of each single byte
  std::vector<Merge> merges;                 // earliest first
  // Words that have an id whatever the merges make of them (`ignore_merges`).
  std::unordered_map<std::string, std::int32_t> whole_words;
  bool add_prefix_space = false;  // a space before each text between added tokens that has none
};

class BpeTokenizer final : public Tokenizer {
 public:
  explicit BpeTokenizer(BpeModel model, TokenizerFiles files = {});
  TokenizerKind kind() const override {
    return merges_.empty() ? TokenizerKind::bytes : TokenizerKind::bpe;
  }
  std::vector<std::string_view> pieces(std::string_view text, std::size_t bytes) const override;

 protected:
  void encode_plain(std::string_view text, std::size_t position,
                    std::vector<std::int32_t>& ids) const override;
  std::string definition() const override;
  std::string made_json() const override;

 private:
  class Merger;
  void encode_word(std::string_view word, Merger& merger, std::vector<std::int32_t>& ids) const;
  std::string json_with(const std::vector<AddedToken>& added, nlohmann::json vocab,
                        nlohmann::json post_processor) const;

  std::array<std::int32_t, 256> byte_ids_;
  std::vector<Merge> merges_;
  std::unordered_map<std::uint64_t, std::int32_t> order_;  // place in merges_ of a pair of ids
  std::unordered_map<std::string, std::int32_t> whole_words_;
  bool add_prefix_space_;
};

// 256 bytes and an end-of-text id; id = byte value.
BpeModel byte_model();
// Learns merges until there are `vocab` ids (fewer if nothing is left to merge). Ties go to the
// pair with the smaller ids, so the result depends on the text alone.
BpeModel train_bpe(std::span<const std::string_view> documents, std::int64_t vocab);

}  // namespace ty
