#include "core/data/wordpiece.h"

#include <algorithm>

#include "core/io/file.h"

namespace ty {

namespace {

PieceTrie trie_of(const std::vector<std::string>& pieces) {
  std::vector<std::pair<std::string_view, std::int32_t>> tokens;
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    if (!pieces[id].empty()) tokens.emplace_back(pieces[id], static_cast<std::int32_t>(id));
  }
  return PieceTrie(std::move(tokens));
}

std::vector<std::string> texts_of(const Vocabulary& vocabulary, const BertNormalizerSpec& spec) {
  const BertNormalizer normalizer(spec);
  std::vector<std::string> texts = vocabulary.tokens;
  for (const AddedToken& token : vocabulary.added) {
    if (!token.normalized) continue;
    texts[static_cast<std::size_t>(token.id)] = normalizer.normalize(token.content);
  }
  return texts;
}

TextNormalizer normalizer_of(const BertNormalizerSpec& spec) {
  return [normalizer = BertNormalizer(spec)](std::string_view text) {
    return normalizer.normalize(text);
  };
}

// What the public library's decoder mends in a piece with the space before it.
constexpr std::pair<std::string_view, std::string_view> kCleanups[] = {
    {" .", "."},   {" ?", "?"},     {" !", "!"},     {" ,", ","},
    {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},   {" do not", " don't"},
    {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
};

std::string cleaned(std::string text) {
  for (const auto& [from, to] : kCleanups) {
    for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
  }
  return text;
}

}  // namespace

WordPieceTokenizer::WordPieceTokenizer(WordPieceModel model, TokenizerFiles files)
    : Tokenizer(std::move(model.vocabulary), std::move(files), normalizer_of(model.normalizer)),
      normalizer_(model.normalizer),
      pieces_(std::move(model.pieces)),
      texts_(texts_of(vocabulary(), model.normalizer)),
      prefix_(std::move(model.prefix)),
      unknown_(model.unknown),
      longest_word_(model.longest_word),
      decoder_(std::move(model.decoder)),
      trie_(trie_of(pieces_)),
      continued_(trie_.walk(PieceTrie::kRoot, prefix_)) {}

// White space separates words in any case, so a text may be cut before a space; not if a token that
// is found in the normalized text could lie across.
std::vector<std::string_view> WordPieceTokenizer::pieces(std::string_view text,
                                                         std::size_t bytes) const {
  if (added().has_normalized()) return {text};
  std::vector<std::string_view> result;
  const auto is_cut = [&](std::size_t at) {
    return text[at] == ' ' && text[at - 1] > ' ' && text[at - 1] < 127 &&
           !added().touches(text, at);
  };
  while (text.size() > bytes) {
    std::size_t cut = bytes;
    while (cut < text.size() && !is_cut(cut)) ++cut;
    result.push_back(text.substr(0, cut));
    text.remove_prefix(cut);
  }
  if (!text.empty()) result.push_back(text);
  return result;
}

void WordPieceTokenizer::encode_plain(std::string_view text, std::size_t,
                                      std::vector<std::int32_t>& ids) const {
  words_.for_each(text, [&](std::string_view word) { encode_word(word, ids); });
}

bool WordPieceTokenizer::is_too_long(std::string_view word) const {
  if (std::ssize(word) <= longest_word_) return false;
  const auto starts = std::count_if(word.begin(), word.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;  // of a character
  });
  return starts > longest_word_;
}

void WordPieceTokenizer::encode_word(std::string_view word, std::vector<std::int32_t>& ids) const {
  const std::size_t before = ids.size();
  bool is_known = !is_too_long(word);
  PieceTrie::Node from = PieceTrie::kRoot;
  while (is_known && !word.empty()) {
    const PieceTrie::Match match =
        from == PieceTrie::kNowhere ? PieceTrie::Match() : trie_.longest(from, word);
    is_known = match.id >= 0;
    ids.push_back(match.id);
    word.remove_prefix(match.length);
    from = continued_;
  }
  if (is_known) return;
  ids.resize(before);
  ids.push_back(unknown_);
}

bool WordPieceTokenizer::continues_word(std::int32_t id) const {
  const auto place = static_cast<std::size_t>(id);
  return place < pieces_.size() && pieces_[place].starts_with(prefix_);
}

std::string WordPieceTokenizer::decode(std::span<const std::int32_t> ids) const {
  std::string text;
  bool is_first = true;
  for (std::int32_t id : ids) {
    if (!has_text(id)) continue;
    std::string token = texts_[static_cast<std::size_t>(id)];
    if (!is_first) {
      const bool joins = decoder_ && token.starts_with(decoder_->prefix);
      token = joins ? token.substr(decoder_->prefix.size()) : " " + token;
    }
    is_first = false;
    text += decoder_ && decoder_->cleanup ? cleaned(std::move(token)) : token;
  }
  return text;
}

void WordPieceTokenizer::save(const std::filesystem::path& directory) const {
  Tokenizer::save(directory);
  if (const auto lines = vocab_txt()) atomic_write_file(directory / "vocab.txt", bytes_of(*lines));
}

std::optional<std::string> WordPieceTokenizer::vocab_txt() const {
  if (prefix_ != "##") return std::nullopt;
  std::string lines;
  for (const std::string& piece : pieces_) {
    const bool is_line = !piece.empty() && piece.find_first_of("\r\n") == piece.npos &&
                         static_cast<unsigned char>(piece.back()) > ' ';
    if (!is_line) return std::nullopt;
    lines += piece + '\n';
  }
  return lines;
}

}  // namespace ty
