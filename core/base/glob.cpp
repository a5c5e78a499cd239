#include "core/base/glob.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace ty {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The number that a text starts with, which is taken off it.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

struct NumberRange {
  std::uint64_t first, last;
  std::size_t length;  // of its text
};

// The "{A..B}" that a pattern starts with.
std::optional<NumberRange> range_at(std::string_view pattern) {
  std::string_view rest = pattern;
  if (!take(rest, "{")) return std::nullopt;
  const auto first = take_number(rest);
  if (!first || !take(rest, "..")) return std::nullopt;
  const auto last = take_number(rest);
  if (!last || !take(rest, "}")) return std::nullopt;
  return NumberRange{*first, *last, pattern.size() - rest.size()};
}

// Characters of `name` from n on that are a whole number of the range; 0: none.
std::size_t number_length(const NumberRange& range, std::string_view name, std::size_t n) {
  if (n > 0 && is_digit(name[n - 1])) return 0;
  std::string_view rest = name.substr(n);
  const auto value = take_number(rest);
  return value && *value >= range.first && *value <= range.last ? name.size() - n - rest.size() : 0;
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view name) {
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t p = 0, n = 0;
  std::size_t star = kNone, resume = 0;  // last '*' and where its run may grow from
  while (n < name.size()) {
    const auto range = range_at(pattern.substr(p));
    const std::size_t number = range ? number_length(*range, name, n) : 0;
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (number > 0) {
      p += range->length;
      n += number;
    } else if (p < pattern.size() && !range && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != kNone) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool matches_any(std::span<const std::string> patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return glob_match(pattern, name); });
}

bool is_plain_name(std::string_view pattern) {
  return pattern.find_first_of("*{") == std::string_view::npos;
}

}  // namespace ty
