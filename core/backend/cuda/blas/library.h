// The library of matrix products: cublaslt.cpp, or the tests' plain loops.
#pragma once

#include <cstddef>
#include <memory>

#include "core/backend/allocator.h"
#include "core/backend/cuda/blas/product.h"

namespace ty::cuda::blas {

// 130100 for 13.1.0.
std::size_t library_version();

class Library {
 public:
  // All products run on one stream and share scratch from `memory`. tf32: those of fp32 may round
  // their operands to 10 bits.
  Library(void* stream, Allocator& memory, bool tf32);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  // Whether the library has a way to compute it.
  bool can_run(const Product& product, const Operands& at);
  // k, m, n and batch at least 1; out is `in` or, for 16-bit types, fp32. Throws DeviceError.
  void run(const Product& product, double alpha, const Operands& at, double beta);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ty::cuda::blas
