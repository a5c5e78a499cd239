#include "parallel/data/reduction.h"

#include "core/base/error.h"
#include "core/base/even_parts.h"
#include "parallel/comm/tree.h"

namespace ty {

Shards virtual_shards(std::int64_t whole, const Range& own) {
  std::int64_t count = kVirtualShards;
  while (count > whole && count > 1) count /= 2;
  Shards shards;
  std::int64_t covered = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const Range shard = even_part(whole, i, count);
    if (shard.first < own.first || shard.first >= own.first + own.count) continue;
    shards.push_back({shard.first - own.first, shard.count});
    covered += shard.count;
  }
  TY_CHECK(covered == own.count, "[{}, {}) of {} are no whole shards of {}", own.first,
           own.first + own.count, whole, count);
  return shards;
}

void sum_over(const Group& group, Backend& backend, const View& x, Reduction reduction) {
  if (reduction == Reduction::canonical) return tree_all_reduce(group, backend, x);
  group.all_reduce(x, ReduceOp::sum).wait();
}

}  // namespace ty
