#include "core/backend/reference/reference_backend.h"

#include <cstring>

namespace ty {

WorkShape ReferenceBackend::work_shape() const { return host_work_shape(1); }
CostModel ReferenceBackend::cost_model(DType dtype) const { return host_cost_model(dtype); }

void ReferenceBackend::read(void* host, const View& x) {
  if (x.numel() > 0) std::memcpy(host, x.data, x.bytes());
}

void ReferenceBackend::write(const View& y, const void* host) {
  if (y.numel() > 0) std::memcpy(y.data, host, y.bytes());
}

std::unique_ptr<Backend> make_reference_backend() { return std::make_unique<ReferenceBackend>(); }

}  // namespace ty
