#include "models/linear/btt/btt_blocks.h"

#include <algorithm>
#include <cmath>

#include "core/autograd/graph.h"
#include "core/ops/matmul.h"
#include "core/ops/shape.h"
#include "models/linear/svd/svd_factors.h"

namespace ty {

namespace {

struct Counts {
  std::int64_t m1, m2, n1, n2;
};
Counts counts_of(const BttSizes& sizes) {
  return {sizes.in[0], sizes.in[1], sizes.out[0], sizes.out[1]};
}

// W[:, i2, j1, :], [m1, n2].
Matrix block_of(const Matrix& w, const BttSizes& sizes, std::int64_t i2, std::int64_t j1) {
  const auto [m1, m2, n1, n2] = counts_of(sizes);
  Matrix block(m1, n2);
  for (std::int64_t i1 = 0; i1 < m1; ++i1) {
    for (std::int64_t j2 = 0; j2 < n2; ++j2) block(i1, j2) = w(i1 * m2 + i2, j1 * n2 + j2);
  }
  return block;
}

}  // namespace

Tensor btt_weight(const Tensor& a, const Tensor& b) {
  const NoGrad no_grad;
  const std::int64_t m2 = a.dim(0), m1 = a.dim(1), n1 = b.dim(0), n2 = b.dim(2);
  const std::int64_t rank = b.dim(1) / m2;
  const Tensor left = permute(reshape(a, {m2, m1, n1, rank}), {0, 2, 1, 3});
  const Tensor right = permute(reshape(b, {n1, m2, rank, n2}), {1, 0, 2, 3});
  const Tensor blocks = matmul(contiguous(left), contiguous(right));  // [m2, n1, m1, n2]
  return reshape(contiguous(permute(blocks, {2, 0, 1, 3})), {m1 * m2, n1 * n2});
}

BttFactors btt_factors(const Matrix& w, const BttSizes& sizes, std::int64_t rank) {
  const auto [m1, m2, n1, n2] = counts_of(sizes);
  BttFactors result = {std::vector<double>(static_cast<std::size_t>(m2 * m1 * n1 * rank)),
                       std::vector<double>(static_cast<std::size_t>(n1 * m2 * rank * n2)), 0};
  double energy = 0;
  for (std::int64_t i2 = 0; i2 < m2; ++i2) {
    for (std::int64_t j1 = 0; j1 < n1; ++j1) {
      const SvdFactors cut = svd_factors(block_of(w, sizes, i2, j1), KeepRank{rank});
      energy += cut.error * cut.error;
      for (std::int64_t r = 0; r < cut.a.cols; ++r) {
        for (std::int64_t i1 = 0; i1 < m1; ++i1) {
          result.a[static_cast<std::size_t>(((i2 * m1 + i1) * n1 + j1) * rank + r)] = cut.a(i1, r);
        }
        for (std::int64_t j2 = 0; j2 < n2; ++j2) {
          result.b[static_cast<std::size_t>(((j1 * m2 + i2) * rank + r) * n2 + j2)] = cut.b(r, j2);
        }
      }
    }
  }
  result.error = std::sqrt(energy);
  return result;
}

std::vector<double> btt_energies(const Matrix& w, const BttSizes& sizes) {
  const auto [m1, m2, n1, n2] = counts_of(sizes);
  const auto most = static_cast<std::size_t>(std::min(m1, n2));
  std::vector<double> energies(most + 1, 0.0);
  for (std::int64_t i2 = 0; i2 < m2; ++i2) {
    for (std::int64_t j1 = 0; j1 < n1; ++j1) {
      const std::vector<double> sigma = singular_values(block_of(w, sizes, i2, j1));
      double tail = 0;
      for (std::size_t r = most; r-- > 0;) energies[r] += tail += sigma[r] * sigma[r];
    }
  }
  return energies;
}

}  // namespace ty
