// Cuts text into the words inside which BPE merges: a regular expression run by PCRE2 over the
// valid UTF-8 of a text. Bytes that are no UTF-8 are kept, as words of their own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ty {

// How GPT-2 splits: contractions, then letters, digits or other signs with one space before them,
// then runs of white space.
inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

class Splitter {
 public:
  // Throws DataError if the pattern does not compile.
  explicit Splitter(std::string pattern);

  const std::string& pattern() const { return pattern_; }
  // Hands out consecutive words that cover the text; what the pattern skips is a word, too. Safe to
  // call from several threads. Throws DataError if a pattern backtracks without end.
  void split(std::string_view text, const std::function<void(std::string_view)>& visit) const;
  // Cuts a text into pieces of about `bytes` bytes that split separately as they do together; one
  // piece if the pattern is not known to allow that.
  std::vector<std::string_view> pieces(std::string_view text, std::size_t bytes) const;

 private:
  struct Code;
  std::string pattern_;
  std::shared_ptr<const Code> code_;
};

}  // namespace ty
