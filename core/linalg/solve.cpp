#include "core/linalg/solve.h"

#include <utility>

#include "core/linalg/lapack.h"

namespace ty {

Matrix solve_positive(Matrix a, Matrix b) {
  if (a.rows != a.cols || a.rows != b.rows) {
    throw ShapeError("solve: {} and {} do not fit", shape_of(a), shape_of(b));
  }
  // Row-major: LAPACK reads b as its transpose, and a, which is symmetric, as itself.
  Matrix columns = transpose(b);
  const blasint n = lapack::size(a.rows), m = lapack::size(b.cols);
  blasint info = 0;
  dposv_("L", &n, &m, a.data.data(), &n, columns.data.data(), &n, &info, 1);
  TY_CHECK(info >= 0, "dposv: argument {} is wrong", -info);
  if (info > 0) {
    throw NonFiniteError("solve: {} is not positive definite at row {}", shape_of(a), info - 1);
  }
  return transpose(columns);
}

}  // namespace ty
