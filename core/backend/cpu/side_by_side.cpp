#include <exception>

#include "core/backend/cpu/cpu_backend.h"

namespace ty {

void CpuBackend::side_by_side(int count, const std::function<void(int)>& body) {
  if (count <= 1) return Backend::side_by_side(count, body);
  std::exception_ptr error;
#pragma omp parallel for schedule(static, 1) num_threads(count)
  for (int i = 0; i < count; ++i) {
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
