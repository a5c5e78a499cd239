#include "parallel/comm/memory.h"

#include <cstring>

#include "core/backend/backend.h"

namespace ty {

std::vector<std::byte> CommMemory::bytes_of(const View& x) const {
  const auto* first = x.as<std::byte>();
  if (backend_ == nullptr) return {first, first + x.bytes()};
  std::vector<std::byte> bytes(x.bytes());
  if (!bytes.empty()) backend_->read(bytes.data(), x);
  return bytes;
}

void CommMemory::write(const View& x, const std::byte* host) const {
  if (x.bytes() == 0) return;
  if (backend_ != nullptr) return backend_->write(x, host);
  std::memcpy(x.data, host, x.bytes());
}

void CommMemory::copy(const View& y, const View& x) const {
  if (y.data == x.data || x.bytes() == 0) return;
  if (backend_ == nullptr) {
    std::memcpy(y.data, x.data, x.bytes());
    return;
  }
  backend_->copy(contiguous_view(y.data, y.dtype, {y.numel()}),
                 contiguous_view(x.data, x.dtype, {x.numel()}));
}

}  // namespace ty
