// LAPACK reads a row-major a as the column-major a^T = v s u^T: its first factor, column-major, is
// our vt, row-major, and its second is our u. Nothing is transposed.
#include "core/linalg/svd.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/base/error.h"
#include "core/linalg/lapack.h"

namespace ty {

namespace {

// Nothing if the driver does not converge.
std::optional<Svd> try_svd(const Matrix& a, SvdDriver driver) {
  const std::int64_t k = std::min(a.rows, a.cols);
  Svd f = {Matrix(a.rows, k), std::vector<double>(static_cast<std::size_t>(k)), Matrix(k, a.cols)};
  if (k == 0) return f;
  const blasint m = lapack::size(a.cols), n = lapack::size(a.rows), ldu = m, ldvt = lapack::size(k);
  std::vector<double> work_a = a.data;  // overwritten
  std::vector<blasint> iwork(static_cast<std::size_t>(8 * k));
  const auto call = [&](double* work, const blasint* lwork, blasint* info) {
    if (driver == SvdDriver::divide_and_conquer) {
      dgesdd_("S", &m, &n, work_a.data(), &m, f.sigma.data(), f.vt.data.data(), &ldu,
              f.u.data.data(), &ldvt, work, lwork, iwork.data(), info, 1);
    } else {
      dgesvd_("S", "S", &m, &n, work_a.data(), &m, f.sigma.data(), f.vt.data.data(), &ldu,
              f.u.data.data(), &ldvt, work, lwork, info, 1, 1);
    }
  };
  if (lapack::with_workspace("svd", call) > 0) return std::nullopt;
  return f;
}

}  // namespace

Svd svd(const Matrix& a) {
  require_finite(a, "svd");
  if (std::optional<Svd> f = try_svd(a, SvdDriver::divide_and_conquer)) return *std::move(f);
  return svd(a, SvdDriver::qr_iteration);
}

Svd svd(const Matrix& a, SvdDriver driver) {
  require_finite(a, "svd");
  if (std::optional<Svd> f = try_svd(a, driver)) return *std::move(f);
  throw NonFiniteError("svd: the iteration for a matrix {} of norm {} does not converge",
                       shape_of(a), frobenius_norm(a));
}

std::vector<double> singular_values(const Matrix& a) {
  require_finite(a, "svd");
  std::vector<double> sigma(static_cast<std::size_t>(std::min(a.rows, a.cols)));
  if (sigma.empty()) return sigma;
  const blasint m = lapack::size(a.cols), n = lapack::size(a.rows), one = 1;
  std::vector<double> work_a = a.data;  // overwritten
  std::vector<blasint> iwork(8 * sigma.size());
  const auto call = [&](double* work, const blasint* lwork, blasint* info) {
    dgesdd_("N", &m, &n, work_a.data(), &m, sigma.data(), nullptr, &one, nullptr, &one, work, lwork,
            iwork.data(), info, 1);
  };
  if (lapack::with_workspace("svd", call) > 0) return svd(a).sigma;
  return sigma;
}

namespace {

struct CutRule {
  const std::vector<double>& sigma;

  double square(std::int64_t i) const {
    const double value = sigma[static_cast<std::size_t>(i)];
    return value * value;
  }
  Cut operator()(const KeepRank& rule) const {
    if (rule.rank < 1) throw ConfigError("svd: rank {} keeps nothing; give 1 or more", rule.rank);
    Cut cut = {std::min<std::int64_t>(rule.rank, std::ssize(sigma)), 0.0};
    for (std::int64_t i = std::ssize(sigma) - 1; i >= cut.rank; --i) {
      cut.discarded_energy += square(i);  // small squares first
    }
    return cut;
  }
  Cut operator()(const DiscardEnergy& rule) const {
    if (!(rule.bound >= 0.0)) {
      throw ConfigError("svd: the bound on discarded energy is {}; give 0 or more", rule.bound);
    }
    Cut cut = {std::ssize(sigma), 0.0};
    while (cut.rank > 1 && cut.discarded_energy + square(cut.rank - 1) <= rule.bound) {
      cut.discarded_energy += square(--cut.rank);
    }
    return cut;
  }
};

}  // namespace

Cut cut_spectrum(const std::vector<double>& sigma, const TruncationRule& rule) {
  return std::visit(CutRule{sigma}, rule);
}

TruncatedSvd truncated_svd(const Matrix& a, const TruncationRule& rule) {
  Svd full = svd(a);
  const Cut cut = cut_spectrum(full.sigma, rule);
  full.sigma.resize(static_cast<std::size_t>(cut.rank));
  return {{leading_block(full.u, a.rows, cut.rank), std::move(full.sigma),
           leading_block(full.vt, cut.rank, a.cols)},
          cut.discarded_energy};
}

Matrix reconstruct(const Svd& factors) {
  Matrix scaled = factors.u;
  scale_columns(scaled, factors.sigma);
  return multiply(scaled, factors.vt);
}

}  // namespace ty
