// Reduction: in which order numbers of all ranks are added up.
#pragma once

#include <cstdint>

#include "core/ops/shards.h"
#include "parallel/comm/communicator.h"

namespace ty {

// fast: sums in whatever order is quickest (repeatable for one number of ranks). canonical: fixed
// binary trees, the same bits for any layout: gradients over the global index of the sequence, for
// 1, 2, 4, ... data ranks, every sequence being a micro-batch of its own; and what tensor ranks
// share over virtual shards, for 1, 2 or 4 of them.
enum class Reduction : std::uint8_t { fast, canonical };

// Into so many parts canonical sums cut every dimension that tensor ranks divide, whoever has how
// many of them: as many ranks can share it at most. A power of two.
inline constexpr int kVirtualShards = 4;

// Those of a dimension of size `whole` that lie in `own`, counted from where that begins. A
// dimension of fewer elements has fewer shards, so that none is empty.
Shards virtual_shards(std::int64_t whole, const Range& own);

// x = the sum over the ranks, in that order; x lies in the backend's memory, for which the group
// was made.
void sum_over(const Group& group, Backend& backend, const View& x, Reduction reduction);

}  // namespace ty
