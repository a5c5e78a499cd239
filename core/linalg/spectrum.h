// What the singular values of a matrix say about how far it can be cut.
#pragma once

#include "core/linalg/matrix.h"

namespace ty {

struct Spectrum {
  std::vector<double> sigma;        // descending
  double energy = 0;                // sum of squares: |W|^2
  std::int64_t rank_90 = 0;         // the fewest values with 90 % of the energy
  double stable_rank = 0;           // energy / largest value squared; 0 of a zero matrix
  std::int64_t numerical_rank = 0;  // values above the largest one's rounding (fp32)
  double mean = 0, variance = 0;    // of the entries
  double sparsity = 0;              // share of the entries that are 0
};

// Throws NonFiniteError for entries that are not finite.
Spectrum spectrum_of(const Matrix& w);

}  // namespace ty
