#include "core/data/bert_normalizer.h"

#include <algorithm>
#include <vector>

#include "core/data/bert_characters.h"
#include "core/data/bert_words.h"
#include "core/data/utf8.h"

namespace ty {

// Takes the characters of a text in order. With accents to be stripped the text is decomposed
// first, so marks wait for the character behind them: until then their order is open.
class BertNormalizer::Writer {
 public:
  Writer(const BertNormalizer& normalizer, std::string& out) : normalizer_(normalizer), out_(out) {}

  void put_ascii(std::int16_t code) {
    if (code == kRemoved) return;
    if (!marks_.empty()) put_marks();
    out_.push_back(static_cast<char>(code));
  }

  void put(char32_t code) {
    if (spec().clean_text) {
      const Cleaning cleaning = characters_.cleaning(code);
      if (cleaning == Cleaning::removed) return;
      if (cleaning == Cleaning::space) return put_ascii(' ');
    }
    const bool apart = spec().handle_chinese_chars && characters_.is_ideograph(code);
    if (apart) put_ascii(' ');
    if (normalizer_.strips_) {
      characters_.decompose(code, [&](char32_t part) { put_part(part); });
    } else {
      put_cased(code);
    }
    if (apart) put_ascii(' ');
  }

  void put_marks() {
    std::stable_sort(marks_.begin(), marks_.end(), [&](char32_t a, char32_t b) {
      return characters_.combining_class(a) < characters_.combining_class(b);
    });
    for (char32_t mark : marks_) put_unless_accent(mark);
    marks_.clear();
  }

 private:
  const BertNormalizerSpec& spec() const { return normalizer_.spec_; }

  // A code point of a decomposition.
  void put_part(char32_t code) {
    if (characters_.combining_class(code) != 0) {
      marks_.push_back(code);
      return;
    }
    if (!marks_.empty()) put_marks();
    put_unless_accent(code);
  }

  void put_unless_accent(char32_t code) {
    if (!characters_.is_nonspacing_mark(code)) put_cased(code);
  }

  void put_cased(char32_t code) {
    if (spec().lowercase) {
      characters_.append_lower(out_, code);
    } else {
      append_utf8(out_, code);
    }
  }

  const BertNormalizer& normalizer_;
  const BertCharacters& characters_ = BertCharacters::get();
  std::string& out_;
  std::vector<char32_t> marks_;
};

BertNormalizer::BertNormalizer(const BertNormalizerSpec& spec)
    : spec_(spec), strips_(spec.strip_accents.value_or(spec.lowercase)) {
  const BertCharacters& characters = BertCharacters::get();
  for (std::size_t code = 0; code < ascii_.size(); ++code) {
    const Cleaning cleaning =
        spec.clean_text ? characters.cleaning(static_cast<char32_t>(code)) : Cleaning::kept;
    const bool lowers = spec.lowercase && code >= 'A' && code <= 'Z';
    ascii_[code] = cleaning == Cleaning::removed ? kRemoved
                   : cleaning == Cleaning::space
                       ? std::int16_t{' '}
                       : static_cast<std::int16_t>(code + (lowers ? 32 : 0));
  }
}

std::string BertNormalizer::normalize(std::string_view text) const {
  std::string result;
  result.reserve(text.size() + text.size() / 8);
  Writer writer(*this, result);
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      writer.put_ascii(ascii_[byte]);
      ++at;
    } else {
      const Utf8Char c = utf8_at(text, at);
      writer.put(c.code);
      at += c.length;
    }
  }
  writer.put_marks();
  return result;
}

BertWords::BertWords() : characters_(BertCharacters::get()) {
  for (std::size_t code = 0; code < ascii_.size(); ++code) {
    ascii_[code] = characters_.role(static_cast<char32_t>(code));
  }
}

}  // namespace ty
