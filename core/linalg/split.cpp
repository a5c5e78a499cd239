#include "core/linalg/split.h"

#include <algorithm>
#include <utility>

#include "core/linalg/qr.h"
#include "core/linalg/randomized_svd.h"

namespace ty {

namespace {

// Measured on two cores: below this smaller side the exact SVD takes about a second or less.
constexpr std::int64_t kExactSide = 1024;
// Above this share of the smaller side, sampling the range costs about as much as the exact SVD.
constexpr std::int64_t kRandomizedShare = 8;
// From this ratio of the sides on, the right singular vectors of a wide matrix are worth avoiding.
constexpr std::int64_t kWide = 2;

bool much_cheaper_randomized(const Matrix& a, std::int64_t rank) {
  const std::int64_t side = std::min(a.rows, a.cols);
  return side > kExactSide && rank <= side / kRandomizedShare;
}

// Left vectors and values come from the small triangle of a = l q; the right ones are never formed.
RangeSplit split_wide(const Matrix& a, const TruncationRule& rule) {
  TruncatedSvd left = truncated_svd(lq_factor(a), rule);
  Matrix rest = multiply_transposed(left.factors.u, a);
  return {std::move(left.factors.u), std::move(rest), left.discarded_energy};
}

RangeSplit split_by(TruncatedSvd svd) {
  scale_rows(svd.factors.vt, svd.factors.sigma);
  return {std::move(svd.factors.u), std::move(svd.factors.vt), svd.discarded_energy};
}

}  // namespace

RangeSplit split(const Matrix& a, const TruncationRule& rule, SvdMethod method) {
  const auto* keep = std::get_if<KeepRank>(&rule);
  if (keep != nullptr && method != SvdMethod::exact &&
      (method == SvdMethod::randomized || much_cheaper_randomized(a, keep->rank))) {
    return split_by(randomized_svd(a, keep->rank));
  }
  require_finite(a, "svd");
  if (a.cols >= kWide * a.rows) return split_wide(a, rule);
  return split_by(truncated_svd(a, rule));
}

}  // namespace ty
