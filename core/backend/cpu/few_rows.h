// Products of a few rows with a large matrix, as when a model generates: the time is that of
// reading the matrix, which is read once, as it lies, in its own element type.
//
//   y [rows, count] = x [rows, inner] w,   w [inner, count] or, transposed, [count, inner]
//
// Each number of y is one sum in an order that depends on `inner` alone, so it has the same bits
// for any number of rows, columns and threads. few_rows.cpp drives these blocks.
#pragma once

#include <cstdint>

#include "core/base/dtype.h"

namespace ty::cpu {

inline constexpr std::int64_t kBlockColumns = 512;  // most of a block

template <typename T>
struct FewRows {
  const float* x;
  std::int64_t x_row;  // elements from one row to the next
  std::int64_t rows, inner, count;
  const T* w;
  std::int64_t w_row;
  float* y;  // [rows, kBlockColumns]
};

void multiply_columns(const FewRows<float>& block);
void multiply_columns(const FewRows<bf16>& block);
void multiply_columns(const FewRows<f16>& block);
// w transposed.
void multiply_rows(const FewRows<float>& block);
void multiply_rows(const FewRows<bf16>& block);
void multiply_rows(const FewRows<f16>& block);

}  // namespace ty::cpu
