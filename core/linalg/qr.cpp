// A row-major a is the column-major a^T, so LAPACK's LQ gives our QR and the reverse, in place.
#include "core/linalg/qr.h"

#include <algorithm>
#include <utility>

#include "core/linalg/lapack.h"

namespace ty {

namespace {

using lapack::with_workspace;

// The sizes of a^T, which is what LAPACK sees.
struct Sizes {
  explicit Sizes(const Matrix& a)
      : m(lapack::size(a.cols)), n(lapack::size(a.rows)), k(std::min(m, n)) {}
  blasint m, n, k;
};

// Leaves l in the lower triangle of the first k columns, q as reflectors; returns their factors.
std::vector<double> lq_reflectors(Matrix& a, const Sizes& s) {
  std::vector<double> tau(static_cast<std::size_t>(s.k));
  with_workspace("dgeqrf", [&](double* work, const blasint* lwork, blasint* info) {
    dgeqrf_(&s.m, &s.n, a.data.data(), &s.m, tau.data(), work, lwork, info);
  });
  return tau;
}

Matrix lower_triangle(const Matrix& a) {
  Matrix l(a.rows, std::min(a.rows, a.cols));
  for (std::int64_t i = 0; i < l.rows; ++i) {
    for (std::int64_t j = 0; j < std::min(i + 1, l.cols); ++j) l(i, j) = a(i, j);
  }
  return l;
}

Matrix upper_triangle(const Matrix& a) {
  Matrix r(std::min(a.rows, a.cols), a.cols);
  for (std::int64_t i = 0; i < r.rows; ++i) {
    for (std::int64_t j = i; j < r.cols; ++j) r(i, j) = a(i, j);
  }
  return r;
}

}  // namespace

Qr qr(Matrix a) {
  const std::int64_t k = std::min(a.rows, a.cols);
  if (k == 0) return {Matrix(a.rows, 0), Matrix(0, a.cols)};
  const Sizes s(a);
  std::vector<double> tau(static_cast<std::size_t>(k));
  with_workspace("dgelqf", [&](double* work, const blasint* lwork, blasint* info) {
    dgelqf_(&s.m, &s.n, a.data.data(), &s.m, tau.data(), work, lwork, info);
  });
  Matrix r = upper_triangle(a);
  with_workspace("dorglq", [&](double* work, const blasint* lwork, blasint* info) {
    dorglq_(&s.k, &s.n, &s.k, a.data.data(), &s.m, tau.data(), work, lwork, info);
  });
  return {a.cols == k ? std::move(a) : leading_block(a, a.rows, k), std::move(r)};
}

Lq lq(Matrix a) {
  const std::int64_t k = std::min(a.rows, a.cols);
  if (k == 0) return {Matrix(a.rows, 0), Matrix(0, a.cols)};
  const Sizes s(a);
  const std::vector<double> tau = lq_reflectors(a, s);
  Matrix l = lower_triangle(a);
  with_workspace("dorgqr", [&](double* work, const blasint* lwork, blasint* info) {
    dorgqr_(&s.m, &s.k, &s.k, a.data.data(), &s.m, tau.data(), work, lwork, info);
  });
  return {std::move(l), a.rows == k ? std::move(a) : leading_block(a, k, a.cols)};
}

Matrix lq_factor(Matrix a) {
  if (a.data.empty()) return Matrix(a.rows, 0);
  lq_reflectors(a, Sizes(a));
  return lower_triangle(a);
}

}  // namespace ty
