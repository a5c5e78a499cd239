// Unfoldings of a tensor: one mode as rows, all others, in order, as columns.
#pragma once

#include <cstddef>
#include <vector>

#include "core/linalg/matrix.h"

namespace ty {

// The tensor [n_1 .. n_N], row-major, as [n_k, product of the others]; modes count from 0.
Matrix unfold(const std::vector<double>& tensor, const std::vector<std::int64_t>& sizes,
              std::size_t mode);
// The other way round.
std::vector<double> fold(const Matrix& unfolded, const std::vector<std::int64_t>& sizes,
                         std::size_t mode);

}  // namespace ty
