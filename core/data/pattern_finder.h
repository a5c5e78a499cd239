// Finds many strings in a text at once (Aho and Corasick, CACM 18(6), 1975), in time linear in the
// text, however long the strings are.
//
// The automaton reads a text from its end, so that a state knows the longest pattern that *starts*
// at the current position. Choosing the leftmost matches, each as long as possible, is then one
// walk from left to right:
//
//   patterns ab, abc, bc in "xabcab":   position        0  1    2   3  4   5
//                                       longest start   -  abc  bc  -  ab  -
//                                       chosen             abc         ab
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ty {

class PatternFinder {
 public:
  struct Match {
    std::size_t start, pattern;  // a position in the text; which of the patterns
  };

  PatternFinder() : PatternFinder(std::vector<std::string>()) {}
  // The patterns are distinct and not empty.
  explicit PatternFinder(std::vector<std::string> patterns);

  // Non-overlapping occurrences from left to right; of several that start at one position, the
  // longest.
  std::vector<Match> find(std::string_view text) const;
  // True if an occurrence contains or touches a position.
  bool occurs_at(std::string_view text, std::size_t position) const;

 private:
  static constexpr std::int32_t kNone = -1;
  struct State {
    std::int32_t fallback = 0;     // state of the longest shorter suffix
    std::int32_t longest = kNone;  // pattern that starts here
  };
  void insert(std::size_t pattern);
  void link_states();
  std::int32_t child(std::int32_t state, unsigned char byte) const;
  std::int32_t next(std::int32_t state, unsigned char byte) const;
  // Calls visit(match) for the longest pattern at each position that has one, from right to left.
  template <typename Visit>
  void scan(std::string_view text, Visit&& visit) const;

  std::vector<std::string> patterns_;
  std::size_t longest_ = 0;  // bytes of the longest pattern
  std::vector<State> states_{1};
  std::unordered_map<std::uint64_t, std::int32_t> children_;
  std::array<bool, 256> ends_pattern_{};  // by byte
};

}  // namespace ty
