// A sum whose bits do not depend on the number of ranks: a fixed binary tree over a global index.
//
// n terms are halved again and again, [0, n/2) and [n/2, n). When n is divisible by the number of
// ranks and that is a power of two, every rank's terms are a whole subtree, and the upper levels
// are the ranks themselves in pairs; so each addition has the same two operands in every layout.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/backend/backend.h"
#include "core/base/error.h"
#include "parallel/comm/communicator.h"

namespace ty {

// How many additions become possible once term i of n has arrived, if terms arrive in order and
// partial sums wait on a stack: each adds the stack's top to the newest sum, as (top + newest).
std::int64_t tree_merges_after(std::int64_t i, std::int64_t n);

// The tree's sum of `terms` terms that arrive in order. Holds at most log2(terms) + 1 partial sums.
template <typename T>
class TreeSum {
 public:
  explicit TreeSum(std::int64_t terms) : terms_(terms) {}
  // add(earlier, later) returns the sum of two parts that lie side by side.
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

// Throws ConfigError unless so many ranks make a tree: a power of two.
void check_tree_ranks(int ranks);

// x = ((x0 + x1) + (x2 + x3)) + ... over the ranks, the same bits everywhere; x lies in the
// backend's memory, and the group is one on it. Throws ConfigError unless the group's size is a
// power of two.
void tree_all_reduce(const Group& group, Backend& backend, const View& x);

}  // namespace ty
