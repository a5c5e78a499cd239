#include "parallel/comm/tree.h"

#include "core/base/error.h"
#include "core/tensor/tensor.h"

namespace ty {

std::int64_t tree_merges_after(std::int64_t i, std::int64_t n) {
  TY_CHECK(i >= 0 && i < n, "term {} of {}", i, n);
  // Walk down to leaf i. Every subtree that ends with i, from the deepest up, is complete now; a
  // subtree that i ends as a left half is not merged yet.
  std::int64_t first = 0, last = n, merges = 0;
  while (last - first > 1) {
    const std::int64_t middle = first + (last - first) / 2;
    if (i < middle) {
      last = middle;
      merges = 0;
    } else {
      first = middle;
      ++merges;
    }
  }
  return merges;
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
