// Correlation of two lists of numbers.
//
// Both have equal lengths of at least 2 (InternalError otherwise). A list whose numbers are all
// equal has no correlation; it counts as 0, as a constant prediction does in
// matthews_correlation(). A NaN or an infinity gives NaN.
#pragma once

#include <span>
#include <vector>

namespace ty {

// Pearson's r in [-1, 1]: covariance over the product of the standard deviations.
double pearson(std::span<const double> x, std::span<const double> y);

// Spearman's rho in [-1, 1]: Pearson's r of the ranks.
double spearman(std::span<const double> x, std::span<const double> y);

// Position of each number in increasing order, from 1; equal numbers share the mean of theirs.
// NaNs have no rank: throws InternalError.
std::vector<double> average_ranks(std::span<const double> values);

}  // namespace ty
