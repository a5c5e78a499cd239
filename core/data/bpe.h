// Byte-level byte pair encoding (Sennrich et al., arXiv 1508.07909; bytes as in GPT-2): a text is
// cut into words, a word starts as bytes, and the pair that was merged earliest in training is
// merged first.
#pragma once

#include <array>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/data/splitter.h"
#include "core/data/tokenizer.h"

namespace ty {

// What defines a BPE tokenizer.
struct BpeModel {
  std::vector<std::string> tokens;           // bytes of each id; may have gaps ("")
  std::array<std::int32_t, 256> byte_ids{};  // id of each single byte
  std::vector<std::pair<std::int32_t, std::int32_t>> merges;  // ids, earliest first
  std::optional<std::int32_t> end_of_text;
};

class BpeTokenizer final : public Tokenizer {
 public:
  explicit BpeTokenizer(BpeModel model);
  TokenizerKind kind() const override {
    return model_.merges.empty() ? TokenizerKind::bytes : TokenizerKind::bpe;
  }
  std::vector<std::string_view> pieces(std::string_view text, std::size_t bytes) const override;
  std::int64_t vocab_size() const override {
    return static_cast<std::int64_t>(model_.tokens.size());
  }
  std::optional<std::int32_t> end_of_text() const override { return model_.end_of_text; }
  std::string to_json() const override;

 protected:
  void encode_plain(std::string_view text, std::vector<std::int32_t>& ids) const override;
  const std::string& bytes_of_id(std::int32_t id) const override {
    return model_.tokens[static_cast<std::size_t>(id)];
  }

 private:
  struct Merge {
    std::int32_t order, result;
  };
  void merge_word(std::string_view word, std::vector<std::int32_t>& ids) const;

  BpeModel model_;
  std::unordered_map<std::uint64_t, Merge> merges_;
};

// 256 bytes and an end-of-text id; id = byte value.
BpeModel byte_model();
// Learns merges until there are `vocab` ids (fewer if nothing is left to merge). Ties go to the
// pair with the smaller ids, so the result depends on the text alone.
BpeModel train_bpe(std::span<const std::string_view> documents, std::int64_t vocab);

}  // namespace ty
