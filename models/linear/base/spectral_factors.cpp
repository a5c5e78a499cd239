#include "models/linear/base/spectral_factors.h"

#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "core/linalg/svd.h"

namespace ty {

namespace {

// Divides the rows of the matrix [scales, the others] by these.
Matrix with_divided_rows(Matrix a, std::vector<double> scales) {
  for (double& scale : scales) scale = 1.0 / scale;
  const std::int64_t rows = a.rows, cols = a.cols, bond = std::ssize(scales);
  a = reshape(std::move(a), bond, rows * cols / bond);
  scale_rows(a, scales);
  return reshape(std::move(a), rows, cols);
}

// Of so many columns: the given ones, and further ones drawn at their scale.
Matrix with_drawn_columns(const Matrix& a, std::int64_t cols, const RandomStream& stream) {
  Matrix wide = normal_matrix(a.rows, cols, stream);
  const double std = frobenius_norm(a) / std::sqrt(static_cast<double>(a.rows * a.cols));
  for (double& value : wide.data) value *= std;
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t j = 0; j < a.cols; ++j) wide(i, j) = a(i, j);
  }
  return wide;
}

// |W|^2, from the first factor on: the Gram matrix of what is multiplied so far, bond by bond.
double energy_of_product(const std::vector<Matrix>& factors) {
  Matrix gram(1, 1, {1.0});
  for (const Matrix& factor : factors) {
    const std::int64_t cols = factor.rows * factor.cols / gram.cols;
    const Matrix weighted = multiply(gram, reshape(factor, gram.cols, cols));
    gram = multiply_transposed(factor, reshape(weighted, factor.rows, factor.cols));
  }
  return gram.data[0];
}

// Entries of all factors and of their product get these standard deviations.
void share_scale(std::vector<Matrix>& factors, double weight_std) {
  double entries = 1.0, scales = 1.0;  // of W; product of the factors' scales
  std::vector<double> own;
  for (const Matrix& factor : factors) {
    const auto size = static_cast<double>(factor.rows * factor.cols);
    own.push_back(frobenius_norm(factor) / std::sqrt(size));
    scales *= own.back();
  }
  std::int64_t left = 1;
  for (const Matrix& factor : factors) {
    entries *= static_cast<double>(factor.rows / left);
    left = factor.cols;
  }
  const double now = std::sqrt(energy_of_product(factors) / entries);
  const double each =
      std::pow(weight_std * scales / now, 1.0 / static_cast<double>(factors.size()));
  for (std::size_t k = 0; k < factors.size(); ++k) {
    for (double& value : factors[k].data) value *= each / own[k];
  }
}

}  // namespace

std::vector<Matrix> spectral_factors(const std::vector<std::int64_t>& modes,
                                     const std::vector<std::int64_t>& ranks, double weight_std,
                                     const std::string& path, std::uint64_t seed) {
  const RandomStream stream(seed, site_id(path + ".dense"));
  const std::int64_t dense_size =
      std::accumulate(modes.begin(), modes.end(), std::int64_t{1}, std::multiplies<>());
  Matrix rest = normal_matrix(modes[0], dense_size / modes[0], stream);
  std::vector<Matrix> factors;
  std::vector<double> roots = {1.0};  // of the bond on the left
  for (std::size_t k = 0; k + 1 < modes.size(); ++k) {
    const std::int64_t rank = ranks[k + 1];
    Svd cut = truncated_svd(rest, KeepRank{rank}).factors;
    Matrix factor = with_divided_rows(std::move(cut.u), roots);
    roots = cut.sigma;
    for (double& value : roots) value = std::sqrt(value);
    scale_columns(factor, roots);
    const RandomStream beyond(seed, site_id(path + ".beyond" + std::to_string(k + 1)));
    factors.push_back(with_drawn_columns(factor, rank, beyond));
    scale_rows(cut.vt, cut.sigma);
    const std::int64_t rows = rank * modes[k + 1], tail = cut.vt.cols / modes[k + 1];
    cut.vt.data.resize(static_cast<std::size_t>(rows * tail), 0.0);
    roots.resize(static_cast<std::size_t>(rank), 1.0);
    rest = Matrix(rows, tail, std::move(cut.vt.data));
  }
  factors.push_back(with_divided_rows(std::move(rest), roots));
  share_scale(factors, weight_std);
  return factors;
}

}  // namespace ty
