// The calls of cuBLASLt that the backend makes (core/backend/cuda/blas), on a FakeGpu: descriptors
// hold what they are given, and a product is one task of its stream. What the library would refuse,
// or do wrongly without a word, is a fault.
#include <cublasLt.h>
#include <fmt/format.h>

#include <cstring>

#include "core/base/error.h"
#include "tests/support/cuda/plain_product.h"
#include "tests/support/fake_gpu/fake_gpu.h"

namespace ty::test {

namespace {

constexpr std::size_t kScratch = std::size_t{1} << 20;  // that every algorithm here wants
constexpr std::uint64_t kScratchAlignment = 256;

struct Layout {
  cudaDataType type;
  std::int64_t rows, columns, leading;
  std::int32_t batch = 1;
  std::int64_t distance = 0;
};
struct Description {
  cublasOperation_t a = CUBLAS_OP_N, b = CUBLAS_OP_N;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
};
struct Preference {
  std::uint64_t scratch = 0;
  std::uint32_t a = 256, b = 256, c = 256, d = 256;  // least alignments
};
struct Algorithm {
  std::uint64_t scratch;
  std::uint32_t a, b, c, d;
};
static_assert(sizeof(Algorithm) <= sizeof(cublasLtMatmulAlgo_t));

// Own objects behind the library's types.
template <typename T, typename Handle>
T& own(Handle handle) {
  return *reinterpret_cast<T*>(
      const_cast<std::remove_const_t<std::remove_pointer_t<Handle>>*>(handle));
}

DType dtype_of(cudaDataType type) {
  switch (type) {
    case CUDA_R_16BF:
      return DType::bf16;
    case CUDA_R_16F:
      return DType::f16;
    case CUDA_R_64F:
      return DType::f64;
    default:
      return DType::f32;
  }
}

cuda::blas::Matrix matrix_of(const Layout& layout, cublasOperation_t operation) {
  return {operation == CUBLAS_OP_T, layout.leading, layout.distance};
}

cuda::blas::Product product_of(const Description& how, const Layout& a, const Layout& b,
                               const Layout& c) {
  return {.in = dtype_of(a.type),
          .out = dtype_of(c.type),
          .m = c.rows,
          .n = c.columns,
          .k = how.a == CUBLAS_OP_T ? a.rows : a.columns,
          .batch = c.batch,
          .a = matrix_of(a, how.a),
          .b = matrix_of(b, how.b),
          .c = matrix_of(c, CUBLAS_OP_N),
          .has_bias = how.epilogue == CUBLASLT_EPILOGUE_BIAS};
}

double number_at(const void* x, bool is_double) {
  return is_double ? *static_cast<const double*>(x) : *static_cast<const float*>(x);
}

void check_alignment(const char* operand, const void* at, std::uint64_t wanted) {
  if (reinterpret_cast<std::uintptr_t>(at) % wanted == 0) return;
  FakeGpu::get().add_fault(
      fmt::format("cublasLtMatmul: {} is not aligned to the {} bytes that its algorithm was chosen "
                  "for",
                  operand, wanted));
}

template <typename T>
cublasStatus_t set(T& value, const void* from, std::size_t bytes) {
  if (bytes != sizeof value) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&value, from, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

}  // namespace

}  // namespace ty::test

using namespace ty::test;

extern "C" {

std::size_t cublasLtGetVersion() { return 130100; }
const char* cublasLtGetStatusName(cublasStatus_t) { return "a fake's status"; }

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  static int thing = 0;
  *handle = reinterpret_cast<cublasLtHandle_t>(&thing);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t) { return CUBLAS_STATUS_SUCCESS; }

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* out, cudaDataType type,
                                          uint64_t rows, uint64_t columns, int64_t leading) {
  *out = reinterpret_cast<cublasLtMatrixLayout_t>(
      new Layout{type, static_cast<int64_t>(rows), static_cast<int64_t>(columns), leading});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  delete &own<Layout>(layout);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout,
                                                cublasLtMatrixLayoutAttribute_t which,
                                                const void* from, std::size_t bytes) {
  switch (which) {
    case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT:
      return set(own<Layout>(layout).batch, from, bytes);
    case CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET:
      return set(own<Layout>(layout).distance, from, bytes);
    default:
      return CUBLAS_STATUS_NOT_SUPPORTED;
  }
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* out, cublasComputeType_t,
                                        cudaDataType_t) {
  *out = reinterpret_cast<cublasLtMatmulDesc_t>(new Description);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t description) {
  delete &own<Description>(description);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t description,
                                              cublasLtMatmulDescAttributes_t which,
                                              const void* from, std::size_t bytes) {
  switch (which) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return set(own<Description>(description).a, from, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSB:
      return set(own<Description>(description).b, from, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      return set(own<Description>(description).epilogue, from, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      return set(own<Description>(description).bias, from, bytes);
    default:
      return CUBLAS_STATUS_NOT_SUPPORTED;
  }
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* out) {
  *out = reinterpret_cast<cublasLtMatmulPreference_t>(new Preference);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  delete &own<Preference>(preference);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t which,
                                                    const void* from, std::size_t bytes) {
  Preference& to = own<Preference>(preference);
  switch (which) {
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
      return set(to.scratch, from, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES:
      return set(to.a, from, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES:
      return set(to.b, from, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES:
      return set(to.c, from, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES:
      return set(to.d, from, bytes);
    default:
      return CUBLAS_STATUS_NOT_SUPPORTED;
  }
}

// The best algorithm reads in the widest packs that the stated alignments allow.
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatmulPreference_t preference, int,
                                              cublasLtMatmulHeuristicResult_t* results,
                                              int* count) {
  const Preference& p = own<Preference>(preference);
  *count = p.scratch >= kScratch ? 1 : 0;
  own<Algorithm>(&results[0].algo) = {kScratch, p.a, p.b, p.c, p.d};
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t description, const void* alpha,
                              const void* a, cublasLtMatrixLayout_t a_layout, const void* b,
                              cublasLtMatrixLayout_t b_layout, const void* beta, const void* c,
                              cublasLtMatrixLayout_t c_layout, void* d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t* choice,
                              void* scratch, std::size_t scratch_bytes, cudaStream_t stream) {
  const auto& algorithm = own<const Algorithm>(choice);
  check_alignment("a", a, algorithm.a);
  check_alignment("b", b, algorithm.b);
  check_alignment("c", c, algorithm.c);
  check_alignment("d", d, algorithm.d);
  check_alignment("the workspace", scratch, kScratchAlignment);
  if (scratch == nullptr || scratch_bytes < algorithm.scratch) {
    FakeGpu::get().add_fault(fmt::format("cublasLtMatmul: {} bytes of workspace, but {} are needed",
                                         scratch_bytes, algorithm.scratch));
  }
  const auto product = product_of(own<Description>(description), own<Layout>(a_layout),
                                  own<Layout>(b_layout), own<Layout>(d_layout));
  if (c != d || c_layout != d_layout) return CUBLAS_STATUS_NOT_SUPPORTED;
  const bool is_double = product.in == ty::DType::f64;
  const double scale = number_at(alpha, is_double), keep = number_at(beta, is_double);
  const void* const bias = product.has_bias ? own<Description>(description).bias : nullptr;
  std::vector<FakeAccess> accesses = {fake_read(a, 1), fake_read(b, 1), fake_write(d, 1),
                                      fake_write(scratch, 1)};
  if (bias != nullptr) accesses.push_back(fake_read(bias, 1));
  FakeGpu::get().put(*reinterpret_cast<FakeStream*>(stream),
                     {.name = product.has_bias ? "product with bias" : "product",
                      .run =
                          [=] {
                            ty::cuda::emulated::multiply(product, scale, {a, b, d, bias}, keep);
                          }},
                     accesses);
  return CUBLAS_STATUS_SUCCESS;
}

}  // extern "C"
