// Chooses modes for a layer from the prime factors of its sizes, where the job file gives none.
//
// The prime factors of both sides are paired in order, largest first, the shorter list padded with
// ones; consecutive pairs are then merged into cores. 1024 x 4096 at rank 72 gives (16, 16) (16,
// 16) (4, 16).
#pragma once

#include "models/linear/ttm/ttm_shape.h"

namespace ty {

// The smallest number >= n whose only prime factors are 2 and 3.
std::int64_t next_2_3_smooth(std::int64_t n);

// Modes for a layer: at most `max_cores` mode pairs with products as equal as the factors allow,
// and fewer pairs if a product (other than the last) would fall below the rank. Feature counts with
// a prime factor above their square root, which would dominate one core, are padded to
// next_2_3_smooth(). Ranks are uniform and not clipped.
TtmShape choose_shape(std::int64_t in_features, std::int64_t out_features, std::int64_t rank,
                      int max_cores = 3);

// Modes for a budget of `weights`: those that choose_shape() returns for the largest uniform rank
// within the budget. The ranks of the result are 1.
TtmShape choose_modes(std::int64_t in_features, std::int64_t out_features, std::int64_t weights,
                      int max_cores = 3);

}  // namespace ty
