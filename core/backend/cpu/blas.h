// Matrix products of row-major operands, overloaded on the element type.
#pragma once

#include <cstdint>

namespace ty::cpu {

// An operand as BLAS libraries expect it: row-major with a leading dimension, possibly transposed.
struct Matrix {
  bool transposed = false;
  std::int64_t stride = 1;
};

template <typename T>
using Gemm = void (*)(std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const T* a,
                      Matrix la, const T* b, Matrix lb, T beta, T* c, std::int64_t lc);

// c [M, N] = alpha a [M, K] b [K, N] + beta c.
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const float* a, Matrix la,
          const float* b, Matrix lb, float beta, float* c, std::int64_t lc);
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, double alpha, const double* a, Matrix la,
          const double* b, Matrix lb, double beta, double* c, std::int64_t lc);

}  // namespace ty::cpu
