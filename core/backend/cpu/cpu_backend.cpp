#include "core/backend/cpu/cpu_backend.h"

#include <omp.h>

namespace ty {

std::int64_t CpuBackend::threads() { return omp_in_parallel() ? 1 : omp_get_max_threads(); }
std::int64_t CpuBackend::thread() { return omp_get_thread_num(); }

WorkShape CpuBackend::work_shape() const { return host_work_shape(static_cast<int>(threads())); }
CostModel CpuBackend::cost_model(DType dtype) const { return host_cost_model(dtype); }

void CpuBackend::read(void* host, const View& x) { reference_.read(host, x); }
void CpuBackend::write(const View& y, const void* host) { reference_.write(y, host); }

std::unique_ptr<Backend> make_cpu_backend(Products products) {
  return std::make_unique<CpuBackend>(products);
}

}  // namespace ty
