#include "core/data/piece_trie.h"

#include <algorithm>
#include <cstring>

namespace ty {

// Breadth first over the sorted tokens: a node is a range of tokens with the same first bytes.
PieceTrie::PieceTrie(std::vector<std::pair<std::string_view, std::int32_t>> tokens) {
  struct Range {
    std::size_t first, last, depth;
  };
  std::sort(tokens.begin(), tokens.end());
  std::vector<Range> ranges = {{0, tokens.size(), 0}};
  entries_.emplace_back();
  bytes_.push_back(0);
  for (std::size_t node = 0; node < ranges.size(); ++node) {
    const Range range = ranges[node];
    std::size_t at = range.first;
    if (at < range.last && tokens[at].first.size() == range.depth) {
      entries_[node].id = tokens[at++].second;
    }
    entries_[node].first_child = static_cast<Node>(entries_.size());
    while (at < range.last) {
      const char byte = tokens[at].first[range.depth];
      const std::size_t first = at;
      while (at < range.last && tokens[at].first[range.depth] == byte) ++at;
      ranges.push_back({first, at, range.depth + 1});
      entries_.emplace_back();
      bytes_.push_back(byte);
    }
    entries_[node].num_children =
        static_cast<std::uint32_t>(entries_.size()) - entries_[node].first_child;
  }
}

PieceTrie::Node PieceTrie::child(Node node, char byte) const {
  const Entry& entry = entries_[node];
  const char* const first = bytes_.data() + entry.first_child;
  const void* const found = std::memchr(first, byte, entry.num_children);
  if (found == nullptr) return kNowhere;
  return entry.first_child + static_cast<Node>(static_cast<const char*>(found) - first);
}

PieceTrie::Node PieceTrie::walk(Node from, std::string_view text) const {
  for (std::size_t i = 0; i < text.size() && from != kNowhere; ++i) from = child(from, text[i]);
  return from;
}

PieceTrie::Match PieceTrie::longest(Node from, std::string_view text) const {
  Match match;
  for (std::size_t i = 0; i < text.size(); ++i) {
    from = child(from, text[i]);
    if (from == kNowhere) break;
    if (entries_[from].id >= 0) match = {entries_[from].id, i + 1};
  }
  return match;
}

}  // namespace ty
