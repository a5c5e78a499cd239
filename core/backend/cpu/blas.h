// Matrix products of OpenBLAS, overloaded on the element type; row-major.
#pragma once

#include <cblas.h>

#include <cstdint>

namespace ty::cpu {

struct Matrix {  // as BLAS wants it: row-major with a leading dimension, possibly transposed
  bool transposed = false;
  std::int64_t stride = 1;
};

inline CBLAS_TRANSPOSE op(const Matrix& m) { return m.transposed ? CblasTrans : CblasNoTrans; }
inline blasint dim(std::int64_t n) { return static_cast<blasint>(n); }

// c [M, N] = alpha a [M, K] b [K, N] + beta c.
inline void gemm(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const float* a,
                 Matrix la, const float* b, Matrix lb, float beta, float* c, std::int64_t lc) {
  cblas_sgemm(CblasRowMajor, op(la), op(lb), dim(m), dim(n), dim(k), alpha, a, dim(la.stride), b,
              dim(lb.stride), beta, c, dim(lc));
}
inline void gemm(std::int64_t m, std::int64_t n, std::int64_t k, double alpha, const double* a,
                 Matrix la, const double* b, Matrix lb, double beta, double* c, std::int64_t lc) {
  cblas_dgemm(CblasRowMajor, op(la), op(lb), dim(m), dim(n), dim(k), alpha, a, dim(la.stride), b,
              dim(lb.stride), beta, c, dim(lc));
}

}  // namespace ty::cpu
