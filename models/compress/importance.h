// How much rows and columns of a weight matter, as diagonal matrices that errors are multiplied by.
#pragma once

#include <vector>

#include "core/linalg/matrix.h"

namespace ty {

// The square roots of `sums`, with `floor` times their mean added, so that what data says nothing
// about can be divided by. All are above 0.
std::vector<double> importances(std::vector<double> sums, double floor);

std::vector<double> row_sums(const Matrix& a);
std::vector<double> column_sums(const Matrix& a);

// One divided by each.
std::vector<double> inverses(std::vector<double> values);

}  // namespace ty
