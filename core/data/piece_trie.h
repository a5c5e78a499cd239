// The tokens of a WordPiece model as a tree of their bytes, which finds the longest token that a
// text starts with in one walk.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ty {

class PieceTrie {
 public:
  using Node = std::uint32_t;
  static constexpr Node kRoot = 0, kNowhere = 0xffffffff;
  struct Match {
    std::int32_t id = -1;    // -1: no token
    std::size_t length = 0;  // bytes of the text that the token takes
  };

  // Ids of distinct tokens that are not empty.
  explicit PieceTrie(std::vector<std::pair<std::string_view, std::int32_t>> tokens);

  // The node that a text leads to, or kNowhere.
  Node walk(Node from, std::string_view text) const;
  // The longest start of `text`, not empty, that leads from a node to the end of a token.
  Match longest(Node from, std::string_view text) const;

 private:
  struct Entry {
    std::int32_t id = -1;           // of the token that ends here
    std::uint32_t first_child = 0;  // children are neighbours, in the order of their bytes
    std::uint32_t num_children = 0;
  };
  Node child(Node node, char byte) const;

  std::vector<Entry> entries_;
  std::vector<char> bytes_;  // that leads to each entry
};

}  // namespace ty
