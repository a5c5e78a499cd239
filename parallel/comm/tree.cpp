#include "parallel/comm/tree.h"

#include <vector>

#include "core/base/error.h"

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

void tree_all_reduce(const Group& group, const View& x) {
  const int size = group.size();
  if ((size & (size - 1)) != 0) {
    throw ConfigError(
        "parallel.reduction: canonical wants 1, 2, 4, 8, ... data ranks, got {}; "
        "change parallel.data or use parallel.reduction: fast",
        size);
  }
  std::vector<std::byte> buffer(size == 1 ? 0 : x.bytes());
  const View other = contiguous_view(buffer.data(), x.dtype, x.shape);
  for (int distance = 1; distance < size; distance *= 2) {
    // Both partners add the same two numbers; addition of floats commutes.
    const int peer = group.rank() ^ distance;
    Work out = group.send(x, peer, distance);
    Work in = group.receive(other, peer, distance);
    in.wait();
    out.wait();
    combine(ReduceOp::sum, x, other);
  }
}

}  // namespace ty
