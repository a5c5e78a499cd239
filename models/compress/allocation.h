// Ranks of several layers under one budget, by what each rank gains.
//
// All layers begin with rank 1. Then the rank that gains most per weight is added, again and again,
// until nothing fits any more. Singular values descend, so no order of adding gains more for the
// weights that are spent.
#pragma once

#include <cstdint>
#include <vector>

namespace ty {

// The singular values of a layer's weight in the norm of a method.
struct RankSpectrum {
  std::vector<double> sigma;  // descending
  // What a squared singular value is worth in units of the loss, the same for all layers; 0: it has
  // none, and values count as a share of their layer's own sum of squares.
  double loss_scale = 0;
};

struct RankCosts {
  std::int64_t per_rank = 0;  // weights
  std::int64_t most = 0;      // the largest rank that is worth having
};

// A rank of at least 1 for each layer; together they have at most `weights`, or as many as rank 1
// needs. A pure function: among equal gains the first layer wins.
std::vector<std::int64_t> allocate_ranks(const std::vector<RankSpectrum>& spectra,
                                         const std::vector<RankCosts>& costs, std::int64_t weights);

}  // namespace ty
