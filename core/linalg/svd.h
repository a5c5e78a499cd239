// Singular value decomposition: complete, or truncated by a rule.
#pragma once

#include <variant>

#include "core/linalg/matrix.h"

namespace ty {

// a [m, n] = u diag(sigma) vt with u [m, k] of orthonormal columns, vt [k, n] of orthonormal rows,
// sigma descending; thin: k = min(m, n), or less when truncated.
struct Svd {
  Matrix u;
  std::vector<double> sigma;
  Matrix vt;
};

// Divide and conquer is several times faster; QR iteration also converges where it may fail.
enum class SvdDriver : std::uint8_t { divide_and_conquer, qr_iteration };

// The thin SVD by divide and conquer, or by QR iteration if that does not converge. Throws
// NonFiniteError for entries that are not finite.
Svd svd(const Matrix& a);
// The same by the given driver alone; throws NonFiniteError if it does not converge.
Svd svd(const Matrix& a, SvdDriver driver);

// The min(m, n) singular values alone, descending. Throws as svd() does.
std::vector<double> singular_values(const Matrix& a);

// How much of a spectrum to keep; at least one value is always kept.
struct KeepRank {
  std::int64_t rank;  // the largest values, or all if there are fewer
};
struct DiscardEnergy {
  double bound;  // the fewest values whose discarded squares add up to no more than this
};
using TruncationRule = std::variant<KeepRank, DiscardEnergy>;

struct Cut {
  std::int64_t rank = 0;          // values kept
  double discarded_energy = 0.0;  // sum of squares of the others
};
// Where a rule truncates a descending spectrum; throws ConfigError for a rank below 1 or a negative
// bound.
Cut cut_spectrum(const std::vector<double>& sigma, const TruncationRule& rule);

struct TruncatedSvd {
  Svd factors;
  double discarded_energy = 0.0;  // squared Frobenius norm of what is missing
};
// The best approximation of its rank (Eckart and Young, 1936).
TruncatedSvd truncated_svd(const Matrix& a, const TruncationRule& rule);

// u diag(sigma) vt.
Matrix reconstruct(const Svd& factors);

}  // namespace ty
