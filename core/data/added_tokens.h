// Tokens that are searched for in a text before it is tokenised, such as the end of text. Fields
// and search order are those of the public tokenizers library.
//
// The leftmost match wins, and the longest of those that start at the same position. Tokens that
// are not `normalized` are searched first, the others in the text left between them; with a
// normalizer in that text after it, and in the spelling that it gives them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/data/pattern_finder.h"

namespace ty {

struct AddedToken {
  std::int32_t id = 0;
  std::string content;
  bool single_word = false;  // only where no word character is adjacent
  bool lstrip = false;       // absorbs the white space before it
  bool rstrip = false;       // absorbs the white space after it
  bool normalized = false;   // searched after those that are not
  bool special = true;       // kept, but without effect here
  friend bool operator==(const AddedToken&, const AddedToken&) = default;
};

// A part of a text: one of the tokens, or the text between two of them.
struct TextPart {
  std::string_view text;
  const AddedToken* token = nullptr;  // none: plain text
};

// What becomes of a text, valid UTF-8, before words are looked for.
using TextNormalizer = std::function<std::string(std::string_view)>;

class AddedTokens {
 public:
  // Contents are distinct and not empty. A token of which a normalizer leaves nothing is never
  // found, and of those it makes the same only a special one, or else the first.
  explicit AddedTokens(std::vector<AddedToken> tokens, const TextNormalizer& normalize = nullptr);

  const std::vector<AddedToken>& tokens() const { return tokens_; }
  // The parts in text order; white space absorbed by a token belongs to no plain part.
  std::vector<TextPart> split(std::string_view text) const;
  // The same by the tokens that are not `normalized` alone, and by those that are.
  std::vector<TextPart> split_as_written(std::string_view text) const;
  std::vector<TextPart> split_normalized(std::string_view text) const;
  // True if any token is `normalized`.
  bool has_normalized() const { return !second_.tokens.empty(); }
  // True if the parts on both sides of a position depend on each other.
  bool touches(std::string_view text, std::size_t position) const;

 private:
  struct Pass {
    PatternFinder finder;
    std::vector<std::size_t> tokens;   // of each pattern
    std::vector<std::size_t> lengths;  // likewise, in bytes
  };
  Pass pass_of(bool normalized, const TextNormalizer& normalize) const;
  void split(std::string_view text, const Pass& pass, std::vector<TextPart>& parts) const;

  std::vector<AddedToken> tokens_;
  Pass first_, second_;
};

}  // namespace ty
