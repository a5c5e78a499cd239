#include "core/backend/cuda/runtime/device_allocator.h"

#include "core/backend/cuda/runtime/api.h"

namespace ty::cuda::runtime {

namespace {
constexpr std::size_t kSlab = std::size_t{2} << 20;
constexpr std::size_t kSmall = kSlab / 2;
constexpr std::size_t kAlignment = 256;  // as of every block of the driver

std::size_t rounded(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}
}  // namespace

DeviceAllocator::~DeviceAllocator() {
  drop_cached();
  stream_.submit_quietly();
  for (void* slab : slabs_) runtime::give_back(slab);
}

void* DeviceAllocator::cut(std::size_t bytes) {
  const auto fit = free_.find(bytes);
  if (fit != free_.end()) {
    void* block = fit->second;
    free_.erase(fit);
    return block;
  }
  if (left_ < bytes) {
    void* slab = runtime::obtain(kSlab);
    if (slab == nullptr) return nullptr;
    slabs_.push_back(slab);
    next_ = static_cast<std::byte*>(slab);
    left_ = kSlab;
  }
  void* block = next_;
  next_ += bytes;
  left_ -= bytes;
  return block;
}

void* DeviceAllocator::obtain(std::size_t bytes) {
  return bytes < kSmall ? cut(rounded(bytes)) : runtime::obtain(bytes);
}

void DeviceAllocator::give_back(void* block, std::size_t bytes) noexcept {
  if (bytes < kSmall) {
    free_.emplace(rounded(bytes), block);
  } else {
    stream_.submit_quietly();  // what was recorded may use it
    runtime::give_back(block);
  }
}

}  // namespace ty::cuda::runtime
