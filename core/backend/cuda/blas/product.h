// Matrix products as cuBLASLt knows them: column-major, one distance between the matrices of a
// batch. Plain numbers, so that all of this is tested where there is no GPU.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/view.h"

namespace ty::cuda::blas {

// An operand in column-major order: as it is, or transposed.
struct Matrix {
  bool transposed = false;
  std::int64_t leading = 1;   // distance of columns as they lie in memory
  std::int64_t distance = 0;  // of the batch's matrices
  friend bool operator==(const Matrix&, const Matrix&) = default;
};

// c [m, n] = alpha a [m, k] b [k, n] + beta c, `batch` times; with a bias [m] it is added to every
// column.
struct Product {
  DType in = DType::f32, out = DType::f32;
  std::int64_t m = 0, n = 0, k = 0, batch = 1;
  Matrix a, b, c;
  bool has_bias = false;
  friend bool operator==(const Product&, const Product&) = default;
};

// Where the operands of one call begin.
struct Operands {
  const void* a = nullptr;
  const void* b = nullptr;
  void* c = nullptr;
  const void* bias = nullptr;
};

// The calls that make up c = alpha a b + beta c of Backend::gemm. They are alike but for their
// operands: more than one where the batch's matrices are not equally spaced.
struct Calls {
  Product product;
  std::vector<Operands> operands;
};

// Whether the last two dimensions are row- or column-major without overlaps, as a product takes
// them.
bool is_matrix(const View& x);

// Throws InternalError unless is_matrix() of all three.
Calls plan_product(const View& c, const View& a, const View& b);
// The same with a bias on every row of c, if one product can add it (a row-major c is a matrix
// whose columns get it) and rounds as a sum of its own would: 16-bit types it would round once, not
// twice.
std::optional<Calls> plan_biased(const View& c, const View& a, const View& b, const View& bias);

}  // namespace ty::cuda::blas
