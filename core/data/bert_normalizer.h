// BERT's normalizer: cleans a text, sets ideographs apart, removes accents, makes lower case. Each
// step is optional. (Devlin et al., arXiv 1810.04805, and the code published with it.)
//
//   "Café\t日本"  cleaned  "Café 日本"  set apart  "Café  日  本 "  stripped, lower  "cafe  日  本
//   "
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ty {

struct BertNormalizerSpec {
  bool clean_text = true;             // removes controls and U+FFFD; white space becomes spaces
  bool handle_chinese_chars = true;   // spaces around CJK ideographs
  std::optional<bool> strip_accents;  // nothing: as `lowercase`
  bool lowercase = true;
  friend bool operator==(const BertNormalizerSpec&, const BertNormalizerSpec&) = default;
};

class BertNormalizer {
 public:
  explicit BertNormalizer(const BertNormalizerSpec& spec);
  // `text` is valid UTF-8, as is the result.
  std::string normalize(std::string_view text) const;

 private:
  class Writer;
  static constexpr std::int16_t kRemoved = -1;

  BertNormalizerSpec spec_;
  bool strips_;
  std::array<std::int16_t, 128> ascii_{};  // what becomes of each character
};

}  // namespace ty
