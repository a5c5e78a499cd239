// Tokens that are looked for in a text before anything else is done with it, such as the end of
// text: fields and order of search are those of the public tokenizers library.
//
// Found is the leftmost one, and of those that start at one place the longest. Tokens that are not
// `normalized` are found first, the others in what is left between those.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/data/pattern_finder.h"

namespace ty {

struct AddedToken {
  std::int32_t id = 0;
  std::string content;
  bool single_word = false;  // only where no letter, digit or the like touches it
  bool lstrip = false;       // takes the white space before it
  bool rstrip = false;       // takes the white space behind it
  bool normalized = false;   // found after those that are not
  bool special = true;       // plays no part here
  friend bool operator==(const AddedToken&, const AddedToken&) = default;
};

// A part of a text: one of the tokens, or what stands between them.
struct TextPart {
  std::string_view text;
  const AddedToken* token = nullptr;  // none: plain text
};

class AddedTokens {
 public:
  // Contents are distinct and not empty.
  explicit AddedTokens(std::vector<AddedToken> tokens);

  const std::vector<AddedToken>& tokens() const { return tokens_; }
  // Parts in the order of the text; white space that a token takes is in no plain part.
  std::vector<TextPart> split(std::string_view text) const;
  // True if the parts on both sides of a position depend on each other.
  bool touches(std::string_view text, std::size_t position) const;

 private:
  struct Pass {
    PatternFinder finder;
    std::vector<std::size_t> tokens;  // of each pattern
  };
  Pass pass_of(bool normalized) const;
  void split(std::string_view text, const Pass& pass, std::vector<TextPart>& parts) const;

  std::vector<AddedToken> tokens_;
  Pass first_, second_;
};

}  // namespace ty
