#include "core/data/added_tokens.h"

#include <algorithm>
#include <unordered_set>

#include "core/data/character_classes.h"
#include "core/data/utf8.h"

namespace ty {

namespace {

bool is_word(const Utf8Char& c) { return c.length > 0 && CharacterClasses::get().is_word(c.code); }

bool is_space(const Utf8Char& c) {
  return c.length > 0 && CharacterClasses::get().kind(c.code) == CharacterKind::space;
}

bool stands_alone(std::string_view before, std::string_view after) {
  return !(!before.empty() && is_word(utf8_before(before, before.size()))) &&
         !(!after.empty() && is_word(utf8_at(after, 0)));
}

// White space of a text around positions that come from left to right.
class WhiteSpace {
 public:
  explicit WhiteSpace(std::string_view text) : text_(text) {}

  // Where the white space that ends at a position starts, but not before `first`.
  std::size_t start_before(std::size_t position, std::size_t first) const {
    while (position > first) {
      const Utf8Char c = utf8_before(text_, position);
      if (!is_space(c)) break;
      position -= c.length;
    }
    return std::max(position, first);
  }

  // Where the white space that starts at a position ends. Read once, however many positions in it
  // are asked for.
  std::size_t end_behind(std::size_t position) {
    if (position >= start_ && position <= end_) return end_;
    start_ = end_ = position;
    while (end_ < text_.size()) {
      const Utf8Char c = utf8_at(text_, end_);
      if (!is_space(c)) break;
      end_ += c.length;
    }
    return end_;
  }

 private:
  std::string_view text_;
  std::size_t start_ = 1, end_ = 0;  // of the run that was read last
};

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens, const TextNormalizer& normalize)
    : tokens_(std::move(tokens)),
      first_(pass_of(false, nullptr)),
      second_(pass_of(true, normalize)) {}

AddedTokens::Pass AddedTokens::pass_of(bool normalized, const TextNormalizer& normalize) const {
  Pass pass;
  std::vector<std::string> patterns;
  std::unordered_set<std::string> known;
  for (const bool special : {true, false}) {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const AddedToken& token = tokens_[i];
      if (token.normalized != normalized || token.special != special) continue;
      std::string pattern = normalize ? normalize(token.content) : token.content;
      if (pattern.empty() || !known.insert(pattern).second) continue;
      pass.tokens.push_back(i);
      pass.lengths.push_back(pattern.size());
      patterns.push_back(std::move(pattern));
    }
  }
  pass.finder = PatternFinder(std::move(patterns));
  return pass;
}

std::vector<TextPart> AddedTokens::split(std::string_view text) const {
  std::vector<TextPart> parts;
  for (const TextPart& part : split_as_written(text)) {
    if (part.token != nullptr) {
      parts.push_back(part);
    } else {
      split(part.text, second_, parts);
    }
  }
  return parts;
}

std::vector<TextPart> AddedTokens::split_as_written(std::string_view text) const {
  std::vector<TextPart> parts;
  split(text, first_, parts);
  return parts;
}

std::vector<TextPart> AddedTokens::split_normalized(std::string_view text) const {
  std::vector<TextPart> parts;
  split(text, second_, parts);
  return parts;
}

void AddedTokens::split(std::string_view text, const Pass& pass,
                        std::vector<TextPart>& parts) const {
  const auto add = [&](std::size_t start, std::size_t end, const AddedToken* token) {
    if (start < end) parts.push_back({text.substr(start, end - start), token});
  };
  WhiteSpace space(text);
  std::size_t done = 0;
  for (const auto& match : pass.finder.find(text)) {
    const AddedToken& token = tokens_[pass.tokens[match.pattern]];
    std::size_t start = match.start, end = start + pass.lengths[match.pattern];
    if (token.single_word && !stands_alone(text.substr(0, start), text.substr(end))) continue;
    // White space that one token has taken is not taken again, but tokens may lie in it.
    if (token.lstrip) start = space.start_before(start, done);
    if (token.rstrip) end = space.end_behind(end);
    add(done, start, nullptr);
    add(start, end, &token);
    done = end;
  }
  add(done, text.size(), nullptr);
}

bool AddedTokens::touches(std::string_view text, std::size_t position) const {
  return first_.finder.occurs_at(text, position) || second_.finder.occurs_at(text, position);
}

}  // namespace ty
