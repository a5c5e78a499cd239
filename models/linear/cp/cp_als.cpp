#include "models/linear/cp/cp_als.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/linalg/qr.h"
#include "core/linalg/solve.h"
#include "core/linalg/svd.h"
#include "models/linear/ttm/tt_sweep.h"
#include "models/linear/ttm/unfold.h"

namespace ty {

namespace {

// Row (i, j) is the product of row i of a and row j of b, entry by entry: Khatri-Rao.
Matrix row_products(const Matrix& a, const Matrix& b) {
  Matrix result(a.rows * b.rows, a.cols);
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t j = 0; j < b.rows; ++j) {
      for (std::int64_t r = 0; r < a.cols; ++r) result(i * b.rows + j, r) = a(i, r) * b(j, r);
    }
  }
  return result;
}

// The inner products of the columns of all factors but one, multiplied entry by entry.
Matrix grams(const std::vector<Matrix>& factors, std::size_t without) {
  const std::int64_t terms = factors[0].cols;
  Matrix result(terms, terms, std::vector<double>(static_cast<std::size_t>(terms * terms), 1.0));
  for (std::size_t k = 0; k < factors.size(); ++k) {
    if (k == without) continue;
    const Matrix own = multiply_transposed(factors[k], factors[k]);
    for (std::size_t i = 0; i < own.data.size(); ++i) result.data[i] *= own.data[i];
  }
  return result;
}

class Sweeper {
 public:
  Sweeper(const Matrix& tensor, std::vector<std::int64_t> sizes, const CpOptions& options)
      : options_(options), energy_(energy(tensor)) {
    for (std::size_t k = 0; k < sizes.size(); ++k) {
      unfoldings_.push_back(unfold(tensor.data, sizes, k));
    }
  }

  // Leading left singular vectors of each unfolding, filled up with draws.
  std::vector<Matrix> from_singular_vectors(std::int64_t terms) const {
    std::vector<Matrix> factors = drawn(terms, 0);
    for (std::size_t k = 0; k < factors.size(); ++k) {
      const Matrix u = svd(square(unfoldings_[k])).u;
      for (std::int64_t i = 0; i < u.rows; ++i) {
        for (std::int64_t r = 0; r < std::min(u.cols, terms); ++r) factors[k](i, r) = u(i, r);
      }
    }
    return factors;
  }
  std::vector<Matrix> drawn(std::int64_t terms, int start) const {
    std::vector<Matrix> factors;
    for (std::size_t k = 0; k < unfoldings_.size(); ++k) {
      const RandomStream stream(static_cast<std::uint64_t>(start),
                                site_id("cp.factor" + std::to_string(k + 1)));
      factors.push_back(normal_matrix(unfoldings_[k].rows, terms, stream));
    }
    return factors;
  }

  CpFit run(std::vector<Matrix> factors) const {
    CpFit fit;
    double before = std::sqrt(energy_);
    for (int sweep = 0; sweep < options_.sweeps; ++sweep) {
      for (std::size_t k = 0; k < factors.size(); ++k) factors[k] = best_factor(factors, k);
      fit.errors.push_back(error_of(factors));
      const double now = fit.errors.back();
      if (before - now <= options_.tolerance * before) break;
      before = now;
    }
    fit.error = fit.errors.back();
    fit.factors = std::move(factors);
    return fit;
  }

 private:
  // U_k that minimises |W_(k) - U_k K^T| with K the Khatri-Rao product of the others.
  Matrix best_factor(const std::vector<Matrix>& factors, std::size_t k) const {
    Matrix system = grams(factors, k);
    double trace = 0;
    for (std::int64_t r = 0; r < system.rows; ++r) trace += system(r, r);
    for (std::int64_t r = 0; r < system.rows; ++r) {
      system(r, r) += options_.ridge * trace / static_cast<double>(system.rows);
    }
    return transpose(
        solve_positive(std::move(system), transpose(multiply(unfoldings_[k], others(factors, k)))));
  }
  static Matrix others(const std::vector<Matrix>& factors, std::size_t without) {
    Matrix product(1, factors[0].cols,
                   std::vector<double>(static_cast<std::size_t>(factors[0].cols), 1.0));
    for (std::size_t k = 0; k < factors.size(); ++k) {
      if (k != without) product = row_products(product, factors[k]);
    }
    return product;
  }
  double error_of(const std::vector<Matrix>& factors) const {
    return frobenius_norm(
        subtract(multiply(factors[0], transpose(others(factors, 0))), unfoldings_[0]));
  }
  // A square matrix with the same left singular vectors, where that is smaller.
  static Matrix square(const Matrix& a) { return a.cols > a.rows ? lq_factor(a) : a; }

  CpOptions options_;
  double energy_;
  std::vector<Matrix> unfoldings_;
};

}  // namespace

CpFit cp_als(const Matrix& w, const TtmShape& modes, std::int64_t terms, const CpOptions& options) {
  require_finite(w, "cp");
  std::vector<std::int64_t> sizes;
  for (int k = 0; k < modes.num_cores(); ++k) sizes.push_back(modes.mode(k));
  const Sweeper sweeper(interleave(w, modes), sizes, options);
  CpFit best;
  for (int start = 0; start < options.starts; ++start) {
    CpFit fit = sweeper.run(start == 0 ? sweeper.from_singular_vectors(terms)
                                       : sweeper.drawn(terms, start));
    if (start == 0 || fit.error < best.error) best = std::move(fit);
  }
  return best;
}

}  // namespace ty
