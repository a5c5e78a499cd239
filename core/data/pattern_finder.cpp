#include "core/data/pattern_finder.h"

#include <algorithm>
#include <queue>

namespace ty {

namespace {

std::uint64_t edge(std::int32_t state, unsigned char byte) {
  return static_cast<std::uint64_t>(state) << 8 | byte;
}

}  // namespace

PatternFinder::PatternFinder(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {
  for (std::size_t i = 0; i < patterns_.size(); ++i) insert(i);
  link_states();
}

void PatternFinder::insert(std::size_t pattern) {
  const std::string& text = patterns_[pattern];
  longest_ = std::max(longest_, text.size());
  ends_pattern_[static_cast<unsigned char>(text.back())] = true;
  std::int32_t state = 0;
  for (std::size_t i = text.size(); i-- > 0;) {
    const auto fresh = static_cast<std::int32_t>(states_.size());
    const auto [entry, is_fresh] =
        children_.emplace(edge(state, static_cast<unsigned char>(text[i])), fresh);
    if (is_fresh) states_.emplace_back();
    state = entry->second;
  }
  states_[static_cast<std::size_t>(state)].longest = static_cast<std::int32_t>(pattern);
}

// From short to long: a state falls back to what its parent's fallback becomes with the same byte.
void PatternFinder::link_states() {
  std::vector<std::vector<std::pair<unsigned char, std::int32_t>>> edges(states_.size());
  for (const auto& [key, to] : children_) {
    edges[key >> 8].emplace_back(static_cast<unsigned char>(key & 0xff), to);
  }
  std::queue<std::int32_t> waiting({0});
  for (; !waiting.empty(); waiting.pop()) {
    const std::int32_t from = waiting.front();
    for (const auto& [byte, to] : edges[static_cast<std::size_t>(from)]) {
      State& state = states_[static_cast<std::size_t>(to)];
      if (from != 0) state.fallback = next(states_[static_cast<std::size_t>(from)].fallback, byte);
      if (state.longest == kNone) {
        state.longest = states_[static_cast<std::size_t>(state.fallback)].longest;
      }
      waiting.push(to);
    }
  }
}

std::int32_t PatternFinder::child(std::int32_t state, unsigned char byte) const {
  const auto found = children_.find(edge(state, byte));
  return found == children_.end() ? kNone : found->second;
}

std::int32_t PatternFinder::next(std::int32_t state, unsigned char byte) const {
  std::int32_t to = child(state, byte);
  while (to == kNone && state != 0) {
    state = states_[static_cast<std::size_t>(state)].fallback;
    to = child(state, byte);
  }
  return to == kNone ? 0 : to;
}

template <typename Visit>
void PatternFinder::scan(std::string_view text, Visit&& visit) const {
  std::int32_t state = 0;
  for (std::size_t at = text.size(); at-- > 0;) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (state == 0 && !ends_pattern_[byte]) continue;  // most bytes of most texts
    state = next(state, byte);
    const std::int32_t longest = states_[static_cast<std::size_t>(state)].longest;
    if (longest != kNone) visit(Match{at, static_cast<std::size_t>(longest)});
  }
}

std::vector<PatternFinder::Match> PatternFinder::find(std::string_view text) const {
  std::vector<Match> starts;
  scan(text, [&](Match match) { starts.push_back(match); });
  std::vector<Match> chosen;
  std::size_t done = 0;
  for (std::size_t i = starts.size(); i-- > 0;) {
    if (starts[i].start < done) continue;
    chosen.push_back(starts[i]);
    done = starts[i].start + patterns_[starts[i].pattern].size();
  }
  return chosen;
}

bool PatternFinder::occurs_at(std::string_view text, std::size_t position) const {
  const std::size_t first = position - std::min(position, longest_);
  const std::string_view around = text.substr(first, position - first + longest_);
  bool found = false;
  scan(around, [&](Match match) {
    const std::size_t start = first + match.start;
    found = found || (start <= position && start + patterns_[match.pattern].size() >= position);
  });
  return found;
}

}  // namespace ty
