// Learning the pieces of WordPiece from the words of a text.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "core/base/error.h"
#include "core/data/merge_trainer.h"
#include "core/data/utf8.h"
#include "core/data/wordpiece.h"

namespace ty {

namespace {

constexpr std::string_view kSpecial[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
enum SpecialId : std::int32_t { kPad, kUnk, kCls, kSep, kMask };

using WordCounts = std::map<std::string, std::int64_t>;  // how often each occurs

WordCounts words_of(std::span<const std::string_view> documents, const BertNormalizerSpec& spec) {
  const BertNormalizer normalizer(spec);
  const BertWords words;
  std::unordered_map<std::string, std::int64_t> counts;
  for (std::string_view document : documents) {
    const std::string text = normalizer.normalize(with_replacement_characters(document));
    words.for_each(text, [&](std::string_view word) { ++counts[std::string(word)]; });
  }
  return WordCounts(counts.begin(), counts.end());
}

// A character at the start of a word, or inside one.
struct Letter {
  bool is_inside = false;
  char32_t code = 0;
  auto operator<=>(const Letter&) const = default;
};

std::vector<Letter> letters_of(std::string_view word) {
  std::vector<Letter> letters;
  for (std::size_t at = 0; at < word.size();) {
    const Utf8Char c = utf8_at(word, at);
    letters.push_back({at > 0, c.code});
    at += c.length;
  }
  return letters;
}

// The letters of the words, of more than `room` the most frequent; in order.
std::vector<Letter> alphabet_of(const WordCounts& words, std::int64_t room) {
  std::map<Letter, std::int64_t> counts;
  for (const auto& [word, count] : words) {
    for (const Letter& letter : letters_of(word)) {
      counts[letter] += count;
      counts[{false, letter.code}] += 0;  // may start a word elsewhere
    }
  }
  std::vector<std::pair<std::int64_t, Letter>> ranked;
  for (const auto& [letter, count] : counts) ranked.emplace_back(-count, letter);
  std::sort(ranked.begin(), ranked.end());
  if (std::ssize(ranked) > room) ranked.resize(static_cast<std::size_t>(room));
  std::vector<Letter> alphabet;
  for (const auto& [count, letter] : ranked) alphabet.push_back(letter);
  std::sort(alphabet.begin(), alphabet.end());
  return alphabet;
}

class Trainer {
 public:
  Trainer(const WordCounts& words, WordPieceModel& model, std::int64_t vocab) : model_(model) {
    for (const Letter& letter : alphabet_of(words, vocab - std::ssize(model.pieces))) {
      std::string piece = letter.is_inside ? model.prefix : "";
      append_utf8(piece, letter.code);
      letters_[letter] = id_of(piece);
    }
    for (const auto& [word, count] : words) add(word, count);
    merges_.start();
  }

  void merge_until(std::int64_t vocab) {
    while (std::ssize(model_.pieces) < vocab) {
      const auto pair = merges_.best();
      if (!pair) break;
      const std::string left = piece(pair->first), right = piece(pair->second);
      // What is on the right stands inside a word, so it begins with the prefix.
      merges_.merge(*pair, id_of(left + right.substr(model_.prefix.size())));
    }
  }

 private:
  const std::string& piece(std::int32_t id) const {
    return model_.pieces[static_cast<std::size_t>(id)];
  }

  // Different pairs can make the same piece.
  std::int32_t id_of(const std::string& piece) {
    const auto [entry, is_fresh] =
        ids_.emplace(piece, static_cast<std::int32_t>(model_.pieces.size()));
    if (is_fresh) model_.pieces.push_back(piece);
    return entry->second;
  }

  // A word with letters that were not kept is unknown: nothing is learned across them.
  void add(std::string_view word, std::int64_t count) {
    std::vector<std::int32_t> ids;
    const auto end = [&] {
      if (!ids.empty()) merges_.add_word(ids, count);
      ids.clear();
    };
    for (const Letter& letter : letters_of(word)) {
      const auto found = letters_.find(letter);
      if (found == letters_.end()) {
        end();
      } else {
        ids.push_back(found->second);
      }
    }
    end();
  }

  WordPieceModel& model_;
  std::map<Letter, std::int32_t> letters_;
  std::unordered_map<std::string, std::int32_t> ids_;
  MergeTrainer merges_;
};

void add_special_tokens(WordPieceModel& model) {
  for (std::string_view content : kSpecial) {
    AddedToken token;
    token.id = static_cast<std::int32_t>(model.pieces.size());
    token.content = content;
    model.pieces.emplace_back(content);
    model.vocabulary.added.push_back(std::move(token));
  }
  SpecialTokens& special = model.vocabulary.special;
  special.pad = kPad;
  special.unk = model.unknown = kUnk;
  special.cls = kCls;
  special.sep = model.vocabulary.end_of_text = kSep;
  special.mask = kMask;
  model.vocabulary.templates = bert_templates(kCls, kSep);
}

}  // namespace

WordPieceModel train_wordpiece(std::span<const std::string_view> documents, std::int64_t vocab,
                               bool lowercase) {
  if (vocab < kSmallestWordPieceVocab) {
    throw ConfigError(
        "tokenizer.vocab: {} is too small; WordPiece wants at least {} ids (5 special tokens and a "
        "character)",
        vocab, kSmallestWordPieceVocab);
  }
  WordPieceModel model;
  model.normalizer.lowercase = lowercase;
  add_special_tokens(model);
  Trainer(words_of(documents, model.normalizer), model, vocab).merge_until(vocab);
  model.vocabulary.tokens = model.pieces;
  return model;
}

}  // namespace ty
