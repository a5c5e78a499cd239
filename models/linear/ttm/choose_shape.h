// Modes for a layer whose job file gives none, from the prime factors of its sizes.
//
// Factors of both sides are paired in order, largest first, the shorter list filled up with ones;
// consecutive pairs are merged into cores. 1024 x 4096 at rank 72 gives (16, 16) (16, 16) (4, 16).
#pragma once

#include "models/linear/ttm/ttm_shape.h"

namespace ty {

// The smallest number >= n that has no prime factors but 2 and 3.
std::int64_t next_2_3_smooth(std::int64_t n);

// Modes for a layer: at most `max_cores` mode pairs with products as near to each other as whole
// factors allow, fewer when the products (but the last) would fall below the rank. Features with a
// prime factor above their square root, which would fill most of one core, are padded up to
// next_2_3_smooth(). Ranks are uniform, not clipped.
TtmShape choose_shape(std::int64_t in_features, std::int64_t out_features, std::int64_t rank,
                      int max_cores = 3);

// Modes for at most so many weights: those that choose_shape() gives for the largest uniform rank
// that they leave room for. Ranks are 1.
TtmShape choose_modes(std::int64_t in_features, std::int64_t out_features, std::int64_t weights,
                      int max_cores = 3);

}  // namespace ty
