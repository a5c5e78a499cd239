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
#include <utility>
#include <vector>

#include "core/backend/backend.h"
#include "core/base/error.h"
#include "parallel/comm/communicator.h"

namespace ty {

// How many additions become possible when term i of n arrives, if terms arrive in order and partial
// sums are kept on a stack. Each addition replaces the newest sum by (top of the stack + newest).
std::int64_t tree_merges_after(std::int64_t i, std::int64_t n);

// The tree sum of `terms` terms that arrive in order. Holds at most log2(terms) + 1 partial sums.
template <typename T>
class TreeSum {
 public:
  explicit TreeSum(std::int64_t terms) : terms_(terms) {}
  // add(earlier, later) returns the sum of two adjacent parts.
  template <typename Add>
  void push(T term, Add add) {
    for (std::int64_t merges = tree_merges_after(arrived_, terms_); merges > 0; --merges) {
      term = add(std::move(parts_.back()), std::move(term));
      parts_.pop_back();
    }
    parts_.push_back(std::move(term));
    ++arrived_;
  }
  // The whole sum, once all terms have arrived.
  T take() {
    TY_CHECK(arrived_ == terms_ && parts_.size() == 1, "{} of {} terms", arrived_, terms_);
    T sum = std::move(parts_.back());
    parts_.clear();
    return sum;
  }
  std::int64_t num_parts() const { return static_cast<std::int64_t>(parts_.size()); }

 private:
  std::int64_t terms_;
  std::int64_t arrived_ = 0;
  std::vector<T> parts_;
};

// Throws ConfigError unless the number of ranks is a power of two.
void check_tree_ranks(int ranks);

// x = ((x0 + x1) + (x2 + x3)) + ... over the ranks, with the same bits on each; x lies in the
// backend's memory, for which the group was made. Throws ConfigError unless the group's size is a
// power of two.
void tree_all_reduce(const Group& group, Backend& backend, const View& x);

}  // namespace ty
