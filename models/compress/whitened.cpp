#include "models/compress/whitened.h"

#include <algorithm>
#include <cmath>

#include "core/linalg/symmetric_eigen.h"
#include "models/compress/importance.h"

namespace ty {

namespace {
// Of the largest eigenvalue; sums of products in fp32 are uncertain by about as much.
constexpr double kFloor = 1e-7;
}  // namespace

WeightedMatrix weigh_by_gram(const Matrix& w, const DecompositionRequest&,
                             const LayerStatistics& statistics) {
  SymmetricEigen eigen = symmetric_eigen(statistics.gram);
  const double most = eigen.values.empty() ? 0.0 : eigen.values.back();
  std::vector<double> roots;
  for (const double value : eigen.values) {
    roots.push_back(most > 0 ? std::sqrt(std::max(value, kFloor * most)) : 1.0);
  }
  WeightedMatrix result = {multiply(eigen.vectors, w)};
  scale_rows(result.weighted, roots);
  result.undo_left = [vectors = std::move(eigen.vectors), back = inverses(roots)](Matrix& a) {
    scale_rows(a, back);
    a = multiply_transposed(vectors, a);
  };
  return result;
}

}  // namespace ty
