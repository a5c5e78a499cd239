// A sum whose bits do not depend on the number of ranks: a fixed binary tree over a global index of
// terms.
//
// n terms are split recursively into [0, n/2) and [n/2, n). If the number of ranks is a power of
// two that divides n, the terms of every rank form a whole subtree, and the levels above are sums
// of pairs of ranks; so each addition has the same two operands in every layout.
//
//                   +                       8 terms; on 2 ranks each rank has one half, and the
//              ____/ \____                  topmost + is between the ranks
//             +           +
//           /   \       /   \               6 terms: (0 + (1 + 2)) + (3 + (4 + 5))
//          +     +     +     +
//         0 1   2 3   4 5   6 7
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "core/backend/backend.h"
#include "core/base/error.h"
#include "core/base/range.h"
#include "parallel/comm/communicator.h"

namespace ty {

// A node of the tree: the sum of the terms of a range.
struct TreeParent {
  Range node;
  Range other;  // its half that is not the one asked about
};
// Of a node that is not the root of the tree over n terms.
TreeParent tree_parent(const Range& node, std::int64_t n);

// The tree sum of `terms` terms that arrive in any order. Holds at most log2(terms) + 1 partial
// sums if they come in order, upwards or downwards.
template <typename T>
class TreeSum {
 public:
  explicit TreeSum(std::int64_t terms) : terms_(terms) {}
  // Brings term i. add(earlier, later) returns the sum of two adjacent parts.
  template <typename Add>
  void put(std::int64_t i, T term, Add add) {
    TY_CHECK(i >= 0 && i < terms_, "term {} of {}", i, terms_);
    Range node = {i, 1};
    while (node.count < terms_) {
      const TreeParent parent = tree_parent(node, terms_);
      const auto other = parts_.find(parent.other.first);
      if (other == parts_.end() || other->second.count != parent.other.count) break;
      T half = std::move(other->second.sum);
      parts_.erase(other);
      term = parent.other.first < node.first ? add(std::move(half), std::move(term))
                                             : add(std::move(term), std::move(half));
      node = parent.node;
    }
    const bool is_new = parts_.emplace(node.first, Part{node.count, std::move(term)}).second;
    TY_CHECK(is_new, "term {} of {} has come twice", i, terms_);
  }
  // The whole sum, once all terms have arrived.
  T take() {
    TY_CHECK(parts_.size() == 1 && parts_.begin()->second.count == terms_, "not all of {} terms",
             terms_);
    T sum = std::move(parts_.begin()->second.sum);
    parts_.clear();
    return sum;
  }
  std::int64_t num_parts() const { return static_cast<std::int64_t>(parts_.size()); }

 private:
  struct Part {
    std::int64_t count;
    T sum;
  };
  std::int64_t terms_;
  std::map<std::int64_t, Part> parts_;  // by their first term
};

// Throws ConfigError unless the number of ranks is a power of two.
void check_tree_ranks(int ranks);

// x = ((x0 + x1) + (x2 + x3)) + ... over the ranks, with the same bits on each; x lies in the
// backend's memory, for which the group was made. Throws ConfigError unless the group's size is a
// power of two.
void tree_all_reduce(const Group& group, Backend& backend, const View& x);

}  // namespace ty
