// fp32 products run in oneDNN, which is level with OpenBLAS 0.3.21 on large products and 1.2 to 3
// times faster on thin ones (tools/bench/README.md); fp64 ones in OpenBLAS.
#include "core/backend/cpu/blas.h"

#include <cblas.h>
#include <oneapi/dnnl/dnnl.h>

#include "core/base/error.h"

namespace ty::cpu {

namespace {

CBLAS_TRANSPOSE op(const Matrix& m) { return m.transposed ? CblasTrans : CblasNoTrans; }
char letter(const Matrix& m) { return m.transposed ? 'T' : 'N'; }
blasint dim(std::int64_t n) { return static_cast<blasint>(n); }

}  // namespace

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const float* a, Matrix la,
          const float* b, Matrix lb, float beta, float* c, std::int64_t lc) {
  const dnnl_status_t status =
      dnnl_sgemm(letter(la), letter(lb), m, n, k, alpha, a, la.stride, b, lb.stride, beta, c, lc);
  TY_CHECK(status == dnnl_success, "dnnl_sgemm {} x {} x {}: status {}", m, n, k,
           static_cast<int>(status));
}

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, double alpha, const double* a, Matrix la,
          const double* b, Matrix lb, double beta, double* c, std::int64_t lc) {
  cblas_dgemm(CblasRowMajor, op(la), op(lb), dim(m), dim(n), dim(k), alpha, a, dim(la.stride), b,
              dim(lb.stride), beta, c, dim(lc));
}

}  // namespace ty::cpu
