// What a linear layer may need to know of the pass that it is part of: the key of its dropout, and
// what came from the block before.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/ops/elementwise.h"

namespace ty {

// One of so many ranks that divide rows or columns.
struct Share {
  int rank = 0, ranks = 1;
};

// What layers hand to those of the same name in the next block, by their path in a block: "mlp.up".
struct Latents {
  std::map<std::string, Tensor> before;  // from the block before
  std::map<std::string, Tensor> made;    // in this one
};
// "mlp.up" of "blocks.3.mlp.up"; "" of a path without a block's number.
std::string path_in_block(std::string_view path);

struct LinearPass {
  bool training = false;  // dropout on
  std::uint64_t seed = 0;
  std::int64_t step = 0;
  std::int64_t first_sample = 0;  // global index of the first sequence
  std::int64_t sequences = 1;     // B
  int copies = 1;                 // of each example among them, side by side
  Latents* latents = nullptr;     // of the block; null outside of one
  Share rows = {};                // what a layer reads has of all rows
};

// The mask of a place, for operands [B, ..] that lie whole on a rank; p counts in training alone.
DropoutMask mask_of_samples(double p, std::uint64_t site, const LinearPass& pass);

// x [B, T, C], or the rows or columns of it that a rank has, with numbers dropped: the same ones of
// the whole in any case.
Tensor drop(const Tensor& x, double p, std::uint64_t site, const LinearPass& pass, Share columns);

}  // namespace ty
