// A product of matrices by plain loops over the numbers that cuBLASLt would be given.
#pragma once

#include "core/backend/cuda/blas/product.h"

namespace ty::cuda::emulated {

// Throws InternalError for what the library refuses.
void multiply(const blas::Product& product, double alpha, const blas::Operands& at, double beta);

}  // namespace ty::cuda::emulated
