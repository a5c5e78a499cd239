// Learning the merges of byte pair encoding. All words lie in one list of symbols; every pair of
// neighbours knows where it occurs, and a heap with stale entries (checked when they come up) gives
// the most frequent one. A merge touches its own occurrences only, so long words cost no more than
// short ones.
//
//   words       low x 2, lower x 1      pairs        l o: 3   o w: 3   w e: 1   e r: 1
//   merge l o   lo w x 2, lo w e r      (a tie: smaller ids first)
//                                       pairs        lo w: 3  w e: 1   e r: 1
//   merge lo w  low x 2, low e r        pairs        low e: 1 e r: 1   none occurs twice: the end
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ty {

class MergeTrainer {
 public:
  using Pair = std::pair<std::int32_t, std::int32_t>;  // ids of neighbours

  // A word as symbols, and how often it occurs.
  void add_word(std::span<const std::int32_t> ids, std::int64_t count);
  // To be called once, when all words are there.
  void start();
  // The most frequent pair that occurs at least twice; of several the one with the smaller ids.
  std::optional<Pair> best();
  // Makes `result` of every occurrence of a pair.
  void merge(Pair pair, std::int32_t result);

 private:
  static constexpr std::int32_t kNone = -1;
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
  std::optional<Pair> pair_at(std::int64_t place);
  bool add(std::int64_t place);
  void remove(std::int64_t place);
  // Takes the symbol behind `place` into it. Pairs of the new symbol are not counted yet.
  void join(std::int64_t place, std::int32_t result);

  std::vector<Symbol> symbols_;
  std::vector<std::int64_t> counts_;  // of each word
  std::unordered_map<Pair, Occurrences, PairHash> pairs_;
  std::priority_queue<Candidate> heap_;
};

}  // namespace ty
