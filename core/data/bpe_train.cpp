// Learning merges. All words lie in one list of symbols; every pair of neighbours knows where it
// occurs, and a heap with stale entries (checked when they come up) gives the most frequent one. A
// merge touches its own occurrences only, so long words cost no more than short ones.
//
//   words       low x 2, lower x 1      pairs        l o: 3   o w: 3   w e: 1   e r: 1
//   merge l o   lo w x 2, lo w e r      (a tie: smaller ids first)
//                                       pairs        lo w: 3  w e: 1   e r: 1
//   merge lo w  low x 2, low e r        pairs        low e: 1 e r: 1   none occurs twice: the end
#include <algorithm>
#include <map>
#include <queue>
#include <unordered_map>

#include "core/base/error.h"
#include "core/data/bpe.h"
#include "core/data/byte_level.h"
#include "core/data/splitter.h"

namespace ty {

namespace {

using Pair = std::pair<std::int32_t, std::int32_t>;

struct PairHash {
  std::size_t operator()(const Pair& p) const {
    return static_cast<std::size_t>(p.first) * 0x9e3779b97f4a7c15ull ^
           static_cast<std::size_t>(p.second);
  }
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
  void add_word(std::span<const std::int32_t> ids, std::int64_t count) {
    const auto word = static_cast<std::int32_t>(counts_.size());
    counts_.push_back(count);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::int64_t here = std::ssize(symbols_);
      symbols_.push_back(
          {ids[i], word, i > 0 ? here - 1 : kNone, i + 1 < ids.size() ? here + 1 : kNone});
      if (i > 0) add(here - 1);
    }
  }

  // To be called once, when all words are there.
  void start() {
    for (const auto& [pair, occurrences] : pairs_) heap_.push({occurrences.count, pair});
  }

  // The most frequent pair that occurs at least twice.
  std::optional<Pair> best() {
    while (!heap_.empty()) {
      const Candidate top = heap_.top();
      const std::int64_t now = pairs_[top.pair].count;
      if (top.count == now) return now >= 2 ? std::optional(top.pair) : std::nullopt;
      heap_.pop();
      if (now > 0) heap_.push({now, top.pair});
    }
    return std::nullopt;
  }

  void merge(Pair pair, std::int32_t result) {
    std::vector<std::int64_t> places = std::move(pairs_[pair].places);
    pairs_[pair].places.clear();
    std::sort(places.begin(), places.end());
    std::vector<Pair> grown;
    for (std::int64_t place : places) {
      if (pair_at(place) != pair) continue;  // merged otherwise since
      join(place, result);
      for (std::int64_t left : {at(place).previous, place}) {
        if (add(left)) grown.push_back(*pair_at(left));
      }
    }
    std::sort(grown.begin(), grown.end());
    grown.erase(std::unique(grown.begin(), grown.end()), grown.end());
    for (const Pair& p : grown) heap_.push({pairs_[p].count, p});
  }

 private:
  static constexpr std::int32_t kNone = -1;
  struct Symbol {
    std::int32_t id;  // kNone: merged into the one before
    std::int32_t word;
    std::int64_t previous, next;
  };
  struct Occurrences {
    std::int64_t count = 0;
    std::vector<std::int64_t> places;  // of left symbols; may be stale
  };

  Symbol& at(std::int64_t place) { return symbols_[static_cast<std::size_t>(place)]; }
  std::int64_t count_of(std::int64_t place) {
    return counts_[static_cast<std::size_t>(at(place).word)];
  }

  // The pair that starts at a symbol.
  std::optional<Pair> pair_at(std::int64_t place) {
    if (place == kNone || at(place).id == kNone || at(place).next == kNone) return std::nullopt;
    return Pair{at(place).id, at(at(place).next).id};
  }

  bool add(std::int64_t place) {
    const auto pair = pair_at(place);
    if (!pair) return false;
    Occurrences& occurrences = pairs_[*pair];
    occurrences.count += count_of(place);
    occurrences.places.push_back(place);
    return true;
  }

  void remove(std::int64_t place) {
    if (const auto pair = pair_at(place)) pairs_[*pair].count -= count_of(place);
  }

  // Takes the symbol behind `place` into it. Pairs of the new symbol are not counted yet.
  void join(std::int64_t place, std::int32_t result) {
    Symbol& left = at(place);
    Symbol& right = at(left.next);
    for (std::int64_t pair : {left.previous, place, left.next}) remove(pair);
    left.id = result;
    left.next = right.next;
    right.id = kNone;
    if (left.next != kNone) at(left.next).previous = place;
  }

  std::vector<Symbol> symbols_;
  std::vector<std::int64_t> counts_;  // of each word
  std::unordered_map<Pair, Occurrences, PairHash> pairs_;
  std::priority_queue<Candidate> heap_;
};

Trainer trainer_for(std::span<const std::string_view> documents,
                    const std::array<std::int32_t, 256>& byte_ids) {
  std::unordered_map<std::string_view, std::int64_t> counts;
  for (std::string_view text : documents) {
    while (!text.empty()) {
      const std::size_t length = first_word(text);
      ++counts[text.substr(0, length)];
      text.remove_prefix(length);
    }
  }
  Trainer trainer;
  std::vector<std::int32_t> ids;
  for (const auto& [word, count] : std::map(counts.begin(), counts.end())) {
    ids.clear();
    for (char c : word) ids.push_back(byte_ids[static_cast<unsigned char>(c)]);
    trainer.add_word(ids, count);
  }
  trainer.start();
  return trainer;
}

}  // namespace

BpeModel train_bpe(std::span<const std::string_view> documents, std::int64_t vocab) {
  if (vocab < 257) {
    throw ConfigError(
        "tokenizer.vocab: {} is too small; byte-level BPE wants at least 257 ids (256 "
        "bytes and {})",
        vocab, kEndOfText);
  }
  BpeModel model;
  std::vector<std::string>& tokens = model.vocabulary.tokens;
  const auto& order = byte_level_order();
  for (std::size_t id = 0; id < order.size(); ++id) {
    model.byte_ids[order[id]] = static_cast<std::int32_t>(id);
    tokens.emplace_back(1, static_cast<char>(order[id]));
  }
  Trainer trainer = trainer_for(documents, model.byte_ids);
  while (std::ssize(tokens) + 1 < vocab) {
    const std::optional<Pair> pair = trainer.best();
    if (!pair) break;
    const auto result = static_cast<std::int32_t>(tokens.size());
    trainer.merge(*pair, result);
    model.merges.push_back({pair->first, pair->second, result});
    tokens.push_back(tokens[static_cast<std::size_t>(pair->first)] +
                     tokens[static_cast<std::size_t>(pair->second)]);
  }
  add_end_of_text(model.vocabulary);
  return model;
}

}  // namespace ty
