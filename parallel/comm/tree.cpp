#include "parallel/comm/tree.h"

#include "core/base/error.h"
#include "core/tensor/tensor.h"

namespace ty {

TreeParent tree_parent(const Range& node, std::int64_t n) {
  Range parent = {0, n};
  while (true) {
    TY_CHECK(parent.count > node.count, "terms {} + {} of {} are no node", node.first, node.count,
             n);
    const Range left = {parent.first, parent.count / 2};
    const Range right = {parent.first + left.count, parent.count - left.count};
    if (left == node) return {parent, right};
    if (right == node) return {parent, left};
    parent = node.first < right.first ? left : right;
  }
}

void check_tree_ranks(int ranks) {
  if ((ranks & (ranks - 1)) == 0) return;
  throw ConfigError(Key{"parallel.reduction"},
                    "canonical wants 1, 2, 4, 8, ... data ranks, got {}; change "
                    "parallel.data or use parallel.reduction: fast",
                    ranks);
}

// Pairs of ranks at distances 1, 2, 4, ... exchange their sums. Both partners add the same two
// numbers, and addition of floats commutes.
void tree_all_reduce(const Group& group, Backend& backend, const View& x) {
  const int size = group.size();
  check_tree_ranks(size);
  if (size == 1) return;
  const Tensor other = Tensor::empty(backend, x.shape, x.dtype, MemoryClass::communication);
  for (int distance = 1; distance < size; distance *= 2) {
    const int peer = group.rank() ^ distance;
    Work in = group.receive(other.view(), peer, kReservedTags);
    Work out = group.send(x, peer, kReservedTags);
    in.wait();
    out.wait();
    backend.axpby(x, 1.0, other.view(), 1.0);
  }
}

}  // namespace ty
