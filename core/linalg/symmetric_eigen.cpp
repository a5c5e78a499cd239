// LAPACK returns the eigenvectors as columns of a column-major matrix: the rows of ours.
#include "core/linalg/symmetric_eigen.h"

#include <utility>

#include "core/base/error.h"
#include "core/linalg/lapack.h"

namespace ty {

SymmetricEigen symmetric_eigen(Matrix a) {
  if (a.rows != a.cols) throw ShapeError("eigenvalues: {} is not square", shape_of(a));
  require_finite(a, "eigenvalues");
  SymmetricEigen result = {std::vector<double>(static_cast<std::size_t>(a.rows)), std::move(a)};
  if (result.values.empty()) return result;
  const blasint n = lapack::size(result.vectors.rows);
  std::vector<blasint> iwork(static_cast<std::size_t>(5 * n + 3));
  const blasint liwork = 5 * n + 3;
  const blasint info =
      lapack::with_workspace("dsyevd", [&](double* work, const blasint* lwork, blasint* status) {
        dsyevd_("V", "U", &n, result.vectors.data.data(), &n, result.values.data(), work, lwork,
                iwork.data(), &liwork, status, 1, 1);
      });
  if (info == 0) return result;
  throw NonFiniteError("eigenvalues: the iteration for a matrix {} does not converge",
                       shape_of(result.vectors));
}

}  // namespace ty
