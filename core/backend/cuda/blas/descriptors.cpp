#include "core/backend/cuda/blas/descriptors.h"

#include "core/base/error.h"

namespace ty::cuda::blas {

namespace {

cudaDataType_t type_of(DType dtype) {
  switch (dtype) {
    case DType::bf16:
      return CUDA_R_16BF;
    case DType::f16:
      return CUDA_R_16F;
    case DType::f64:
      return CUDA_R_64F;
    default:
      return CUDA_R_32F;
  }
}

cublasComputeType_t compute_of(DType dtype, bool tf32) {
  if (dtype == DType::f64) return CUBLAS_COMPUTE_64F;
  return dtype == DType::f32 && tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

// Of a matrix [rows, columns] as it takes part in the product.
Descriptors::Layout layout_of(const Matrix& x, DType dtype, std::int64_t rows, std::int64_t columns,
                              std::int64_t batch) {
  if (x.transposed) std::swap(rows, columns);
  cublasLtMatrixLayout_t layout = nullptr;
  check(cublasLtMatrixLayoutCreate(&layout, type_of(dtype), static_cast<std::uint64_t>(rows),
                                   static_cast<std::uint64_t>(columns), x.leading),
        "cublasLtMatrixLayoutCreate");
  Descriptors::Layout owned(layout);
  const auto set = [&](cublasLtMatrixLayoutAttribute_t which, const auto& value) {
    check(cublasLtMatrixLayoutSetAttribute(layout, which, &value, sizeof value),
          "cublasLtMatrixLayoutSetAttribute");
  };
  set(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, static_cast<std::int32_t>(batch));
  set(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, x.distance);
  return owned;
}

}  // namespace

void check(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw DeviceError("cuda: {}: {}", call, cublasLtGetStatusName(status));
}

Descriptors::Descriptors(const Product& p, bool tf32) : is_double(p.in == DType::f64) {
  cublasLtMatmulDesc_t raw = nullptr;
  check(cublasLtMatmulDescCreate(&raw, compute_of(p.in, tf32), is_double ? CUDA_R_64F : CUDA_R_32F),
        "cublasLtMatmulDescCreate");
  product.reset(raw);
  const auto set = [&](cublasLtMatmulDescAttributes_t which, bool transposed) {
    const cublasOperation_t operation = transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
    check(cublasLtMatmulDescSetAttribute(raw, which, &operation, sizeof operation),
          "cublasLtMatmulDescSetAttribute");
  };
  set(CUBLASLT_MATMUL_DESC_TRANSA, p.a.transposed);
  set(CUBLASLT_MATMUL_DESC_TRANSB, p.b.transposed);
  if (p.has_bias) {
    const cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_BIAS;
    check(cublasLtMatmulDescSetAttribute(raw, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue,
                                         sizeof epilogue),
          "cublasLtMatmulDescSetAttribute");
  }
  a = layout_of(p.a, p.in, p.m, p.k, p.batch);
  b = layout_of(p.b, p.in, p.k, p.n, p.batch);
  c = layout_of(p.c, p.out, p.m, p.n, p.batch);
}

void Descriptors::set_bias(const void* bias) const {
  check(cublasLtMatmulDescSetAttribute(product.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias,
                                       sizeof bias),
        "cublasLtMatmulDescSetAttribute");
}

}  // namespace ty::cuda::blas
