// cuBLASLt takes the descriptors of our products. It needs no device for that.
#include "core/backend/cuda/blas/descriptors.h"

#include <gtest/gtest.h>

namespace ty::cuda::blas {
namespace {

template <typename T>
T attribute(cublasLtMatrixLayout_t layout, cublasLtMatrixLayoutAttribute_t which) {
  T value{};
  check(cublasLtMatrixLayoutGetAttribute(layout, which, &value, sizeof value, nullptr), "get");
  return value;
}

TEST(Descriptors, SayWhatTheProductSays) {
  const Product product{.in = DType::bf16,
                        .out = DType::f32,
                        .m = 30,
                        .n = 20,
                        .k = 7,
                        .batch = 6,
                        .a = {true, 8, 512},
                        .b = {false, 16, 0},
                        .c = {false, 32, std::int64_t{1} << 33}};
  const Descriptors d(product, false);
  EXPECT_EQ(attribute<std::uint64_t>(d.a.get(), CUBLASLT_MATRIX_LAYOUT_ROWS), 7u);
  EXPECT_EQ(attribute<std::uint64_t>(d.a.get(), CUBLASLT_MATRIX_LAYOUT_COLS), 30u);
  EXPECT_EQ(attribute<std::int64_t>(d.a.get(), CUBLASLT_MATRIX_LAYOUT_LD), 8);
  EXPECT_EQ(attribute<std::uint64_t>(d.b.get(), CUBLASLT_MATRIX_LAYOUT_ROWS), 7u);
  EXPECT_EQ(attribute<std::int32_t>(d.b.get(), CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT), 6);
  EXPECT_EQ(attribute<std::int64_t>(d.c.get(), CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET),
            std::int64_t{1} << 33);
  EXPECT_EQ(attribute<cudaDataType_t>(d.c.get(), CUBLASLT_MATRIX_LAYOUT_TYPE), CUDA_R_32F);
  EXPECT_FALSE(d.is_double);
}

TEST(Descriptors, NameTheBiasOfEachCall) {
  const Matrix square{false, 4, 0};
  Product product{DType::f32, DType::f32, 4, 4, 4, 1, square, square, square};
  const auto get = [](const Descriptors& d, cublasLtMatmulDescAttributes_t which, auto value) {
    check(cublasLtMatmulDescGetAttribute(d.product.get(), which, &value, sizeof value, nullptr),
          "get");
    return value;
  };
  EXPECT_EQ(get(Descriptors(product, false), CUBLASLT_MATMUL_DESC_EPILOGUE, cublasLtEpilogue_t{}),
            CUBLASLT_EPILOGUE_DEFAULT);
  product.has_bias = true;
  const Descriptors d(product, false);
  EXPECT_EQ(get(d, CUBLASLT_MATMUL_DESC_EPILOGUE, cublasLtEpilogue_t{}), CUBLASLT_EPILOGUE_BIAS);
  for (const std::uintptr_t address : {64, 128}) {
    const auto* const bias = reinterpret_cast<const void*>(address);
    d.set_bias(bias);
    EXPECT_EQ(get(d, CUBLASLT_MATMUL_DESC_BIAS_POINTER, static_cast<const void*>(nullptr)), bias);
  }
}

TEST(Descriptors, Fp32IsNotRoundedUnlessAsked) {
  const auto computes_in = [](DType in, bool tf32) {
    const Matrix square{false, 4, 0};
    const Product product{in, in, 4, 4, 4, 1, square, square, square};
    const Descriptors d(product, tf32);
    cublasComputeType_t type{};
    check(cublasLtMatmulDescGetAttribute(d.product.get(), CUBLASLT_MATMUL_DESC_COMPUTE_TYPE, &type,
                                         sizeof type, nullptr),
          "get");
    return type;
  };
  EXPECT_EQ(computes_in(DType::f32, false), CUBLAS_COMPUTE_32F);
  EXPECT_EQ(computes_in(DType::f32, true), CUBLAS_COMPUTE_32F_FAST_TF32);
  EXPECT_EQ(computes_in(DType::bf16, true), CUBLAS_COMPUTE_32F);
  EXPECT_EQ(computes_in(DType::f16, false), CUBLAS_COMPUTE_32F);
  EXPECT_EQ(computes_in(DType::f64, false), CUBLAS_COMPUTE_64F);
}

}  // namespace
}  // namespace ty::cuda::blas
