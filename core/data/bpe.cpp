#include "core/data/bpe.h"

#include "core/base/error.h"

namespace ty {

namespace {
std::uint64_t key(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
         static_cast<std::uint32_t>(right);
}
}  // namespace

BpeModel byte_model() {
  BpeModel model;
  for (std::int32_t byte = 0; byte < 256; ++byte) {
    model.byte_ids[static_cast<std::size_t>(byte)] = byte;
    model.tokens.emplace_back(1, static_cast<char>(byte));
  }
  model.tokens.emplace_back(kEndOfText);
  model.end_of_text = 256;
  return model;
}

BpeTokenizer::BpeTokenizer(BpeModel model) : model_(std::move(model)) {
  std::unordered_map<std::string, std::int32_t> ids;
  for (std::size_t i = 0; i < model_.tokens.size(); ++i) {
    ids.emplace(model_.tokens[i], static_cast<std::int32_t>(i));
  }
  for (std::size_t i = 0; i < model_.merges.size(); ++i) {
    const auto [left, right] = model_.merges[i];
    const std::string joined = bytes_of_id(left) + bytes_of_id(right);
    const auto result = ids.find(joined);
    if (result == ids.end()) {
      throw DataError("tokenizer: merge {} of ids {} and {} gives no token of the vocabulary", i,
                      left, right);
    }
    merges_.emplace(key(left, right), Merge{static_cast<std::int32_t>(i), result->second});
  }
}

void BpeTokenizer::merge_word(std::string_view word, std::vector<std::int32_t>& ids) const {
  const std::size_t start = ids.size();
  for (char c : word) ids.push_back(model_.byte_ids[static_cast<unsigned char>(c)]);
  while (ids.size() - start > 1) {
    const Merge* best = nullptr;
    std::size_t at = 0;
    for (std::size_t i = start; i + 1 < ids.size(); ++i) {
      const auto merge = merges_.find(key(ids[i], ids[i + 1]));
      if (merge == merges_.end() || (best != nullptr && merge->second.order >= best->order))
        continue;
      best = &merge->second;
      at = i;
    }
    if (best == nullptr) return;
    // All occurrences of the pair, from left to right.
    const std::int32_t left = ids[at], right = ids[at + 1];
    std::size_t out = at;
    for (std::size_t i = at; i < ids.size();) {
      if (i + 1 < ids.size() && ids[i] == left && ids[i + 1] == right) {
        ids[out++] = best->result;
        i += 2;
      } else {
        ids[out++] = ids[i++];
      }
    }
    ids.resize(out);
  }
}

std::vector<std::string_view> BpeTokenizer::pieces(std::string_view text, std::size_t bytes) const {
  std::vector<std::string_view> result;
  while (text.size() > bytes) {
    std::size_t cut = bytes;
    while (cut < text.size() && !is_between_words(text, cut)) ++cut;
    result.push_back(text.substr(0, cut));
    text.remove_prefix(cut);
  }
  if (!text.empty()) result.push_back(text);
  return result;
}

void BpeTokenizer::encode_plain(std::string_view text, std::vector<std::int32_t>& ids) const {
  // Words repeat: each distinct one is merged once per call.
  std::unordered_map<std::string_view, std::pair<std::size_t, std::size_t>> seen;
  std::vector<std::int32_t> known;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, first_word(text));
    text.remove_prefix(word.size());
    const auto [entry, fresh] = seen.try_emplace(word, known.size(), 0);
    if (fresh) {
      // Merged at the end of `known`, where it stays.
      std::vector<std::int32_t> merged;
      merge_word(word, merged);
      entry->second.second = merged.size();
      known.insert(known.end(), merged.begin(), merged.end());
    }
    const auto first = known.begin() + static_cast<std::ptrdiff_t>(entry->second.first);
    ids.insert(ids.end(), first, first + static_cast<std::ptrdiff_t>(entry->second.second));
  }
}

}  // namespace ty
