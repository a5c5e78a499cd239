// Eigenvalues and eigenvectors of symmetric matrices.
#pragma once

#include "core/linalg/matrix.h"

namespace ty {

// a = vectors^T diag(values) vectors; values ascend, and row i of vectors is the unit vector of
// values[i].
struct SymmetricEigen {
  std::vector<double> values;
  Matrix vectors;
};

// Of a symmetric a [n, n], of which only one triangle is read. Throws ShapeError unless it is
// square, and NonFiniteError for entries that are not finite or if the iteration does not converge.
SymmetricEigen symmetric_eigen(Matrix a);

}  // namespace ty
