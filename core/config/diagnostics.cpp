#include "core/config/diagnostics.h"

#include <algorithm>

#include "core/base/error.h"

namespace ty::config {
namespace {

constexpr std::size_t kMaxShown = 60;

}  // namespace

void Diagnostics::add(const Place& place, std::string_view key, std::string_view message) {
  std::string line = place.source ? place.str() + ": " : "";
  if (!key.empty()) line += fmt::format("{}: ", key);
  found_.push_back({place, line.append(message)});
}

void Diagnostics::throw_if_any() const {
  if (found_.empty()) return;
  std::vector<Found> sorted = found_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Found& a, const Found& b) { return a.place.comes_before(b.place); });
  std::string text;
  for (std::size_t i = 0; i < std::min(sorted.size(), kMostErrorsShown); ++i) {
    if (i > 0) text += '\n';
    text += sorted[i].line;
  }
  if (sorted.size() > kMostErrorsShown) {
    text += fmt::format("\n... and {} more", sorted.size() - kMostErrorsShown);
  }
  throw ConfigError("{}", text);
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

std::string shown(std::string_view text, bool quoted) {
  std::string out(text);
  if (out.size() > kMaxShown) {
    out.resize(kMaxShown);
    // Never leave half of a UTF-8 character.
    while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80) out.pop_back();
    if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xC0) out.pop_back();
    out += "...";
  }
  const bool plain = !quoted && std::all_of(out.begin(), out.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
  });
  return plain ? out : in_quotes(out);
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace ty::config
