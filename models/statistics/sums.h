// Sums of squared gradients and of products of inputs, tile by tile: what a tile needs stays in the
// processor's cache, and no gradient of a whole weight is ever in memory.
#pragma once

#include <span>

#include "core/backend/backend.h"
#include "core/base/range.h"

namespace ty {

// Rows whose gradient is squared together, and what it is multiplied by before.
struct GradientTerm {
  Range rows;
  double scale = 1.0;
};

// How many rows of such a matrix a tile has.
std::int64_t tile_rows(const View& matrix);

// sum [in, out] fp64 += sum over terms of (scale x[rows]^T dy[rows])^2, element by element, for x
// [N, in] and dy [N, out] of one type. A call's terms are added up in that type, in order.
void add_squared_gradients(Backend& backend, const View& sum, const View& x, const View& dy,
                           std::span<const GradientTerm> terms);

// The upper triangle, at least, of sum [in, in] fp64 += x^T x for x [N, in]; a call's products are
// made in x's type.
void add_upper_gram(Backend& backend, const View& sum, const View& x);

}  // namespace ty
