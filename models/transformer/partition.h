// Partition: which blocks of a model each stage of a pipeline has.
//
//   embeddings  blocks.0  blocks.1 | blocks.2  blocks.3 | blocks.4  blocks.5  head
//             stage 0              |      stage 1       |         stage 2
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace ty {

// Blocks [first, last) of a description.
struct BlockRange {
  std::size_t first = 0, last = 0;
  bool has(std::size_t block) const { return first <= block && block < last; }
  friend bool operator==(const BlockRange&, const BlockRange&) = default;
};

struct Partition {
  int stages = 1;
  std::vector<BlockRange> ranges;  // of the virtual stages (parallel/pipeline/action.h), in order

  int chunks() const { return static_cast<int>(ranges.size()) / stages; }
  const BlockRange& of(int stage, int chunk) const {
    return ranges[static_cast<std::size_t>(chunk * stages + stage)];
  }
  // The stage that has a block.
  int stage_of(std::size_t block) const;
};

// All blocks on one stage.
Partition one_stage(std::size_t blocks);

// Cuts blocks of these costs into stages x chunks ranges of at least one block, so that the
// costliest range is as cheap as can be; of equal cuts, the one whose later ranges are shorter.
// There must be that many blocks.
Partition balanced_partition(std::span<const double> costs, int stages, int chunks);

}  // namespace ty
