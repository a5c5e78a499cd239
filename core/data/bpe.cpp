#include "core/data/bpe.h"

#include <queue>

#include "core/data/splitter.h"

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
    model.vocabulary.tokens.emplace_back(1, static_cast<char>(byte));
  }
  add_end_of_text(model.vocabulary);
  return model;
}

// Merges words, one after the other in the same memory: symbols are a linked list, and a queue
// gives the pair that is merged next, so that a word of n bytes takes n log n steps.
class BpeTokenizer::Merger {
 public:
  explicit Merger(const BpeTokenizer& tokenizer) : tokenizer_(tokenizer) {}

  // Appends the ids of a word.
  void merge(std::string_view word, std::vector<std::int32_t>& ids) {
    start(word);
    while (!candidates_.empty()) {
      const Candidate best = candidates_.top();
      candidates_.pop();
      join(best);
    }
    for (std::int64_t i = 0; i != kNone; i = at(i).next) ids.push_back(at(i).id);
  }

 private:
  static constexpr std::int32_t kNone = -1;
  struct Symbol {
    std::int32_t id;  // kNone: merged into the one before
    std::int64_t previous, next;
  };
  struct Candidate {
    std::int32_t order;                             // of the merge
    std::int64_t position;                          // of the left symbol
    bool operator<(const Candidate& other) const {  // a queue's first is the largest
      return order != other.order ? order > other.order : position > other.position;
    }
  };

  Symbol& at(std::int64_t position) { return symbols_[static_cast<std::size_t>(position)]; }

  void start(std::string_view word) {
    symbols_.clear();
    const std::int64_t size = std::ssize(word);
    for (std::int64_t i = 0; i < size; ++i) {
      const auto byte = static_cast<unsigned char>(word[static_cast<std::size_t>(i)]);
      symbols_.push_back({tokenizer_.byte_ids_[byte], i - 1, i + 1 < size ? i + 1 : kNone});
    }
    for (std::int64_t i = 0; i < size; ++i) consider(i);
  }

  // Puts a symbol and the one behind it into the queue if they can be merged.
  void consider(std::int64_t position) {
    if (position == kNone || at(position).next == kNone) return;
    const auto found = tokenizer_.order_.find(key(at(position).id, at(at(position).next).id));
    if (found != tokenizer_.order_.end()) candidates_.push({found->second, position});
  }

  void join(const Candidate& pair) {
    const Merge& merge = tokenizer_.merges_[static_cast<std::size_t>(pair.order)];
    Symbol& left = at(pair.position);
    if (left.id != merge.left || left.next == kNone || at(left.next).id != merge.right) {
      return;  // one of the two was merged with its other neighbour since
    }
    left.id = merge.result;
    at(left.next).id = kNone;
    left.next = at(left.next).next;
    if (left.next != kNone) at(left.next).previous = pair.position;
    consider(left.previous);
    consider(pair.position);
  }

  const BpeTokenizer& tokenizer_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Candidate> candidates_;
};

BpeTokenizer::BpeTokenizer(BpeModel model, TokenizerFiles files)
    : Tokenizer(std::move(model.vocabulary), std::move(files)),
      byte_ids_(model.byte_ids),
      merges_(std::move(model.merges)),
      whole_words_(std::move(model.whole_words)),
      add_prefix_space_(model.add_prefix_space) {
  for (std::size_t i = 0; i < merges_.size(); ++i) {
    // Of a pair that is listed twice the later place counts, as in the public library.
    order_[key(merges_[i].left, merges_[i].right)] = static_cast<std::int32_t>(i);
  }
}

std::vector<std::string_view> BpeTokenizer::pieces(std::string_view text, std::size_t bytes) const {
  std::vector<std::string_view> result;
  const auto is_cut = [&](std::size_t at) {
    return is_between_words(text, at) && !added().touches(text, at);
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

void BpeTokenizer::encode_word(std::string_view word, Merger& merger,
                               std::vector<std::int32_t>& ids) const {
  const auto whole = whole_words_.find(std::string(word));
  if (whole != whole_words_.end()) {
    ids.push_back(whole->second);
  } else {
    merger.merge(word, ids);
  }
}

void BpeTokenizer::encode_plain(std::string_view text, std::size_t,
                                std::vector<std::int32_t>& ids) const {
  std::string spaced;
  if (add_prefix_space_ && !text.starts_with(' ')) {
    spaced.append(" ").append(text);
    text = spaced;
  }
  // Words repeat: each distinct one is merged once per call.
  std::unordered_map<std::string_view, std::pair<std::size_t, std::size_t>> seen;
  std::vector<std::int32_t> known;
  Merger merger(*this);
  while (!text.empty()) {
    const std::string_view word = text.substr(0, first_word(text));
    text.remove_prefix(word.size());
    const auto [entry, is_fresh] = seen.try_emplace(word, known.size(), 0);
    auto& [first, count] = entry->second;
    if (is_fresh) {
      encode_word(word, merger, known);
      count = known.size() - first;
    }
    for (std::size_t i = first; i < first + count; ++i) ids.push_back(known[i]);
  }
}

}  // namespace ty
