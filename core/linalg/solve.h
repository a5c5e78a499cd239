// Systems of linear equations.
#pragma once

#include "core/linalg/matrix.h"

namespace ty {

// x of a x = b, for a [n, n] symmetric and positive definite, b [n, m]. Throws NonFiniteError where
// a is not.
Matrix solve_positive(Matrix a, Matrix b);

}  // namespace ty
