#include "core/data/splitter.h"

#include "core/base/error.h"
#include "core/data/utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace ty {

namespace {

// kGpt2Pattern with white space spelled out: PCRE2 counts U+180E as white space, Unicode (and the
// regular expressions of the tokenizers library) have not done so since 2013.
constexpr std::string_view kGpt2PatternForPcre =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\t-\r\x{85}\p{Z}\p{L}\p{N}]+)"
    R"(|[\t-\r\x{85}\p{Z}]+(?![^\t-\r\x{85}\p{Z}])|[\t-\r\x{85}\p{Z}]+)";

std::string error_text(int code) {
  std::string text(256, '\0');
  const int length =
      pcre2_get_error_message(code, reinterpret_cast<PCRE2_UCHAR*>(text.data()), text.size());
  text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return text;
}

PCRE2_SPTR units(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

using MatchData = std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)>;

}  // namespace

struct Splitter::Code {
  pcre2_code* compiled = nullptr;
  ~Code() { pcre2_code_free(compiled); }
};

Splitter::Splitter(std::string pattern) : pattern_(std::move(pattern)) {
  const std::string_view source = pattern_ == kGpt2Pattern ? kGpt2PatternForPcre : pattern_;
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto code = std::make_shared<Code>();
  code->compiled =
      pcre2_compile(units(source), source.size(), PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C,
                    &error, &offset, nullptr);
  if (code->compiled == nullptr) {
    throw DataError("split pattern: {} at character {} of {}; expected a regular expression",
                    error_text(error), offset, pattern_);
  }
  // Where there is no just-in-time compiler the interpreter matches the same, only slower.
  pcre2_jit_compile(code->compiled, PCRE2_JIT_COMPLETE);
  code_ = std::move(code);
}

void Splitter::split(std::string_view text,
                     const std::function<void(std::string_view)>& visit) const {
  const MatchData match(pcre2_match_data_create(1, nullptr), &pcre2_match_data_free);
  while (!text.empty()) {
    const std::string_view valid = text.substr(0, valid_utf8_prefix(text));
    std::size_t done = 0;
    while (done < valid.size()) {
      const int found = pcre2_match(code_->compiled, units(valid), valid.size(), done,
                                    PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, match.get(), nullptr);
      if (found == PCRE2_ERROR_NOMATCH) break;
      if (found < 0) {
        throw DataError("split pattern {}: {} near byte {} of the text; use a simpler pattern",
                        pattern_, error_text(found), done);
      }
      const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(match.get());
      if (ends[0] < done || ends[1] <= ends[0]) break;  // only \K can do this
      if (ends[0] > done) visit(valid.substr(done, ends[0] - done));
      visit(valid.substr(ends[0], ends[1] - ends[0]));
      done = ends[1];
    }
    if (done < valid.size()) visit(valid.substr(done));
    text.remove_prefix(valid.size());

    std::size_t invalid = 0;
    while (invalid < text.size() && utf8_at(text, invalid).length == 0) ++invalid;
    if (invalid > 0) visit(text.substr(0, invalid));
    text.remove_prefix(invalid);
  }
}

std::vector<std::string_view> Splitter::pieces(std::string_view text, std::size_t bytes) const {
  std::vector<std::string_view> result;
  while (pattern_ == kGpt2Pattern && text.size() > bytes) {
    // No word of GPT-2's pattern goes on from a visible character into a space, and none looks
    // at what lies before it.
    std::size_t cut = bytes;
    const auto between_words = [&](std::size_t i) {
      return text[i] == ' ' && text[i - 1] > ' ' && text[i - 1] < 127;
    };
    while (cut < text.size() && !between_words(cut)) ++cut;
    result.push_back(text.substr(0, cut));
    text.remove_prefix(cut);
  }
  if (!text.empty()) result.push_back(text);
  return result;
}

}  // namespace ty
