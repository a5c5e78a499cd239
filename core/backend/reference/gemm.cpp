#include "core/backend/reference/indexing.h"
#include "core/backend/reference/reference_backend.h"

namespace ty {

void ReferenceBackend::gemm(const View& c, const View& a, const View& b, GemmScale scale) {
  if (c.rank() > 2) {
    const auto item = [&](const View& operand, std::int64_t i) {
      if (operand.rank() < c.rank()) return operand;
      return operand[operand.shape[0] == 1 ? 0 : i];
    };
    for (std::int64_t i = 0; i < c.shape[0]; ++i) gemm(c[i], item(a, i), item(b, i), scale);
    return;
  }
  dispatch_float(a.dtype, "gemm", [&](auto t) {
    using T = decltype(t);
    for (std::int64_t m = 0; m < c.shape[0]; ++m) {
      for (std::int64_t n = 0; n < c.shape[1]; ++n) {
        double sum = 0;
        for (std::int64_t k = 0; k < a.shape[1]; ++k) {
          sum += static_cast<double>(a.as<T>()[m * a.strides[0] + k * a.strides[1]]) *
                 static_cast<double>(b.as<T>()[k * b.strides[0] + n * b.strides[1]]);
        }
        const std::int64_t at = m * c.strides[0] + n * c.strides[1];
        const double before = scale.beta == 0.0 ? 0.0 : scale.beta * reference::load_any(c, at);
        reference::store_any(c, at, scale.alpha * sum + before);
      }
    }
  });
}

}  // namespace ty
