#include <algorithm>
#include <exception>

#include "core/backend/cpu/cpu_backend.h"
#include "core/backend/cpu/cut_product.h"

namespace ty {

void CpuBackend::side_by_side(int count, const std::function<void(int)>& body) {
  std::exception_ptr error;
#pragma omp parallel for schedule(static, 1) num_threads(std::max(count, 1))
  for (int i = 0; i < count; ++i) {
    const cpu::WholeProducts whole;
    try {
      body(i);
    } catch (...) {
#pragma omp critical(ty_side_by_side)
      if (!error) error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace ty
