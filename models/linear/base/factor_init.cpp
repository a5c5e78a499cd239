#include "models/linear/base/factor_init.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <utility>

#include "core/base/random.h"
#include "core/linalg/qr.h"
#include "models/linear/base/spectral_factors.h"

namespace ty {

namespace {

std::int64_t product(const std::vector<std::int64_t>& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
}

std::vector<std::int64_t> modes_of(const FactorChain& chain) {
  std::vector<std::int64_t> modes;
  for (std::size_t k = 0; k < chain.in.size(); ++k) modes.push_back(chain.in[k] * chain.out[k]);
  return modes;
}

// An entry of W is a sum of so many products of one number of each factor.
double std_of_factors(const FactorChain& chain, double weight_std) {
  const auto paths = static_cast<double>(product(chain.ranks));
  return std::pow(weight_std * weight_std / paths,
                  1.0 / (2.0 * static_cast<double>(chain.in.size())));
}

Matrix with_unit_columns(Matrix a) {
  std::vector<double> scales(static_cast<std::size_t>(a.cols), 0.0);
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t j = 0; j < a.cols; ++j)
      scales[static_cast<std::size_t>(j)] += a(i, j) * a(i, j);
  }
  for (double& scale : scales) scale = 1.0 / std::sqrt(scale);
  scale_columns(a, scales);
  return a;
}

// Factors as matrices [R_{k-1} n_k, R_k]; all but the last with orthonormal columns. What a QR
// leaves on the right goes into the next factor, so the product is the one that was drawn. A factor
// that is wider than tall keeps its rank: columns beyond its rows are the drawn ones at length 1,
// and meet zeros in the next factor, which train since these columns are none.
std::vector<Matrix> orthogonal_factors(const std::vector<std::int64_t>& modes,
                                       const std::vector<std::int64_t>& ranks, double weight_std,
                                       const std::string& path, std::uint64_t seed) {
  std::vector<Matrix> factors;
  for (std::size_t k = 0; k < modes.size(); ++k) {
    const RandomStream stream(seed, site_id(path + ".factor" + std::to_string(k + 1)));
    factors.push_back(normal_matrix(ranks[k] * modes[k], ranks[k + 1], stream));
    const double std = 1.0 / std::sqrt(static_cast<double>(ranks[k]));
    for (double& value : factors.back().data) value *= std;
  }
  for (std::size_t k = 0; k + 1 < factors.size(); ++k) {
    const std::int64_t rank = ranks[k + 1];
    const Qr parts = qr(factors[k]);
    const std::int64_t inner = parts.q.cols;
    Matrix q = with_unit_columns(std::move(factors[k])), r(rank, rank);
    for (std::int64_t i = 0; i < q.rows; ++i) {
      for (std::int64_t j = 0; j < inner; ++j) q(i, j) = parts.q(i, j);
    }
    for (std::int64_t i = 0; i < inner; ++i) {
      for (std::int64_t j = 0; j < rank; ++j) r(i, j) = parts.r(i, j);
    }
    Matrix& next = factors[k + 1];
    const std::int64_t rows = next.rows, cols = next.cols;
    next = reshape(multiply(r, reshape(std::move(next), rank, rows * cols / rank)), rows, cols);
    factors[k] = std::move(q);
  }
  for (double& value : factors.back().data) value *= weight_std;
  return factors;
}

// The factors of one draw, which is made once for all of them.
class SharedDraw {
 public:
  using Draw = std::function<std::vector<Matrix>(std::uint64_t seed)>;
  explicit SharedDraw(Draw draw) : draw_(std::move(draw)) {}
  // Factor k. The last one lets go of the others.
  std::vector<double> at(std::size_t k, std::uint64_t seed) {
    if (factors_.empty() || seed_ != seed) factors_ = draw_(seed);
    seed_ = seed;
    std::vector<double> values = factors_[k].data;
    if (k + 1 == factors_.size()) factors_.clear();
    return values;
  }

 private:
  Draw draw_;
  std::uint64_t seed_ = 0;
  std::vector<Matrix> factors_;
};

}  // namespace

std::vector<Init> factor_inits(const FactorChain& chain, double weight_std, FactorInit kind,
                               const std::string& path) {
  const std::vector<std::int64_t> modes = modes_of(chain);
  std::vector<Init> result;
  const auto draw = std::make_shared<SharedDraw>([=, ranks = chain.ranks](std::uint64_t seed) {
    return kind == FactorInit::spectral ? spectral_factors(modes, ranks, weight_std, path, seed)
                                        : orthogonal_factors(modes, ranks, weight_std, path, seed);
  });
  const double std = std_of_factors(chain, weight_std);
  const MatrixSize whole = {product(chain.in), product(chain.out)};
  for (std::size_t k = 0; k < modes.size(); ++k) {
    result.push_back(kind == FactorInit::normal
                         ? Init::normal(std)
                         : Init::computed([=](std::uint64_t seed) { return draw->at(k, seed); }));
    const MatrixSize own = {chain.ranks[k] * chain.in[k], chain.out[k] * chain.ranks[k + 1]};
    result.back().rate = factor_rate(whole, own, modes.size());
    result.back().rms = std;
    result.back().chain = {static_cast<int>(k), chain.ranks[k], chain.ranks[k + 1]};
  }
  return result;
}

double factor_rate(MatrixSize whole, MatrixSize own, std::size_t factors) {
  const auto least = [](MatrixSize size) {
    return static_cast<double>(std::min(size.in, size.out));
  };
  return std::sqrt(least(whole) / least(own)) / static_cast<double>(factors);
}

}  // namespace ty
