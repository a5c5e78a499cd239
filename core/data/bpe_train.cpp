// Learning merges: pair counts are kept up to date word by word, and a heap with stale entries
// (checked when they come up) gives the most frequent pair.
#include <algorithm>
#include <queue>
#include <unordered_map>

#include "core/base/error.h"
#include "core/data/bpe.h"
#include "core/data/byte_level.h"

namespace ty {

namespace {

using Pair = std::pair<std::int32_t, std::int32_t>;

struct PairHash {
  std::size_t operator()(const Pair& p) const {
    return static_cast<std::size_t>(p.first) * 0x9e3779b97f4a7c15ull ^
           static_cast<std::size_t>(p.second);
  }
};

struct Word {
  std::vector<std::int32_t> ids;
  std::int64_t count;
};

struct Candidate {
  std::int64_t count;
  Pair pair;
  // Heap order: most frequent first, then smaller ids.
  bool operator<(const Candidate& other) const {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

class Trainer {
 public:
  explicit Trainer(std::vector<Word> words) : words_(std::move(words)) {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      const auto& ids = words_[w].ids;
      for (std::size_t i = 0; i + 1 < ids.size(); ++i)
        add({ids[i], ids[i + 1]}, words_[w].count, w);
    }
    for (const auto& [pair, count] : counts_) heap_.push({count, pair});
  }

  // The most frequent pair that occurs at least twice.
  std::optional<Pair> best() {
    while (!heap_.empty()) {
      const Candidate top = heap_.top();
      const std::int64_t now = counts_[top.pair];
      if (top.count == now) return now >= 2 ? std::optional(top.pair) : std::nullopt;
      heap_.pop();
      if (now > 0) heap_.push({now, top.pair});
    }
    return std::nullopt;
  }

  void merge(Pair pair, std::int32_t result) {
    std::vector<std::size_t> where = std::move(places_[pair]);
    places_.erase(pair);
    std::sort(where.begin(), where.end());
    where.erase(std::unique(where.begin(), where.end()), where.end());
    std::vector<Pair> grown;
    for (std::size_t w : where) {
      Word& word = words_[w];
      std::vector<std::int32_t> next;
      const auto& ids = word.ids;
      bool changed = false;
      for (std::size_t i = 0; i < ids.size();) {
        const bool hit = i + 1 < ids.size() && ids[i] == pair.first && ids[i + 1] == pair.second;
        next.push_back(hit ? result : ids[i]);
        changed = changed || hit;
        i += hit ? 2 : 1;
      }
      if (!changed) continue;
      for (std::size_t i = 0; i + 1 < ids.size(); ++i) counts_[{ids[i], ids[i + 1]}] -= word.count;
      word.ids = std::move(next);
      for (std::size_t i = 0; i + 1 < word.ids.size(); ++i) {
        const Pair p = {word.ids[i], word.ids[i + 1]};
        if (p.first == result || p.second == result) {
          add(p, word.count, w);
          grown.push_back(p);
        } else {
          counts_[p] += word.count;
        }
      }
    }
    std::sort(grown.begin(), grown.end());
    grown.erase(std::unique(grown.begin(), grown.end()), grown.end());
    for (const Pair& p : grown) heap_.push({counts_[p], p});
  }

 private:
  void add(Pair pair, std::int64_t count, std::size_t word) {
    counts_[pair] += count;
    places_[pair].push_back(word);
  }

  std::vector<Word> words_;
  std::unordered_map<Pair, std::int64_t, PairHash> counts_;
  std::unordered_map<Pair, std::vector<std::size_t>, PairHash> places_;  // words, may be stale
  std::priority_queue<Candidate> heap_;
};

}  // namespace

BpeModel train_bpe(std::span<const std::string_view> documents, std::int64_t vocab) {
  if (vocab < 257) {
    throw ConfigError(
        "tokenizer.vocab: {} is too small; byte-level BPE wants at least 257 ids (256 "
        "bytes and {})",
        vocab, kEndOfText);
  }
  BpeModel model;
  const auto& order = byte_level_order();
  for (std::size_t id = 0; id < order.size(); ++id) {
    model.byte_ids[order[id]] = static_cast<std::int32_t>(id);
    model.tokens.emplace_back(1, static_cast<char>(order[id]));
  }
  std::unordered_map<std::string_view, std::int64_t> counts;
  for (std::string_view text : documents) {
    while (!text.empty()) {
      const std::size_t length = first_word(text);
      ++counts[text.substr(0, length)];
      text.remove_prefix(length);
    }
  }
  std::vector<std::pair<std::string_view, std::int64_t>> sorted(counts.begin(), counts.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<Word> words;
  for (const auto& [text, count] : sorted) {
    Word word{{}, count};
    for (char c : text) word.ids.push_back(model.byte_ids[static_cast<unsigned char>(c)]);
    words.push_back(std::move(word));
  }
  Trainer trainer(std::move(words));
  while (static_cast<std::int64_t>(model.tokens.size()) + 1 < vocab) {
    const std::optional<Pair> pair = trainer.best();
    if (!pair) break;
    trainer.merge(*pair, static_cast<std::int32_t>(model.tokens.size()));
    model.merges.push_back(*pair);
    model.tokens.push_back(model.tokens[static_cast<std::size_t>(pair->first)] +
                           model.tokens[static_cast<std::size_t>(pair->second)]);
  }
  model.end_of_text = static_cast<std::int32_t>(model.tokens.size());
  model.tokens.emplace_back(kEndOfText);
  return model;
}

}  // namespace ty
