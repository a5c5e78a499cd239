// Products as the library takes them; what it does not take is copied first.
#include <algorithm>

#include "core/backend/cuda/device/cuda_backend.h"

namespace ty::cuda {

namespace {

// y = beta y, as a product over nothing leaves it.
void scale_by(Backend& backend, const View& y, double beta) {
  if (beta == 0.0) {
    backend.fill(y, 0.0);
  } else {
    backend.axpby(y, 0.0, y, beta);
  }
}

bool library_writes(DType out, DType in) {
  return out == in || (out == DType::f32 && size_of(in) == 2);
}

}  // namespace

View CudaBackend::as_matrix(const View& x, std::unique_ptr<ScratchView>& memory) {
  if (blas::is_matrix(x)) return x;
  memory = std::make_unique<ScratchView>(memory_, x.dtype, x.shape);
  copy(*memory, x);
  return *memory;
}

void CudaBackend::multiply(const View& c, const View& a, const View& b, GemmScale scale) {
  if (c.numel() == 0) return;
  if (a.shape[-1] == 0) return scale_by(*this, c, scale.beta);
  if (c.dtype == DType::f64 && a.dtype != DType::f64) {  // sums in double, of operands as they are
    const ScratchView left(memory_, DType::f64, a.shape), right(memory_, DType::f64, b.shape);
    copy(left, a);
    copy(right, b);
    return multiply(c, left, right, scale);
  }
  if (!library_writes(c.dtype, a.dtype) || !blas::is_matrix(c)) {
    const DType wide = library_writes(c.dtype, a.dtype) ? c.dtype : accumulator_of(a.dtype);
    const ScratchView whole(memory_, wide, c.shape);
    multiply(whole, a, b, {scale.alpha, 0.0});
    return axpby(c, 1.0, whole, scale.beta);
  }
  std::unique_ptr<ScratchView> a_memory, b_memory;
  const blas::Calls calls = blas::plan_product(c, as_matrix(a, a_memory), as_matrix(b, b_memory));
  for (const blas::Operands& at : calls.operands) {
    stream_.issue("product");
    library_->run(calls.product, scale.alpha, at, scale.beta);
  }
}

void CudaBackend::gemm(const View& c, const View& a, const View& b, GemmScale scale) {
  multiply(c, a, b, scale);
}

bool CudaBackend::multiply_biased(const View& c, const View& a, const View& b, const View& bias) {
  if (bias.data == nullptr || c.numel() == 0 || a.shape[-1] == 0) return false;
  std::unique_ptr<ScratchView> a_memory, b_memory;
  const auto calls = blas::plan_biased(c, as_matrix(a, a_memory), as_matrix(b, b_memory), bias);
  if (!calls || !library_->can_run(calls->product, calls->operands.front())) return false;
  stream_.issue("product");
  library_->run(calls->product, 1.0, calls->operands.front(), 0.0);
  return true;
}

void CudaBackend::gemm_bias(const View& c, const View& a, const View& b, const View& bias) {
  if (!multiply_biased(c, a, b, bias)) Backend::gemm_bias(c, a, b, bias);
}

}  // namespace ty::cuda
