#include "core/backend/allocator.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

#include "core/base/error.h"

namespace ty {

namespace {
constexpr std::size_t kHugeBlock = std::size_t{4} << 20;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Blocks come in few sizes, so that a freed one fits the next request of about its size.
std::size_t capacity_for(std::size_t bytes) {
  const std::size_t grain = bytes >= kHugeBlock ? kHugePage : bytes >= 4096 ? 4096 : 64;
  return (std::max<std::size_t>(bytes, 1) + grain - 1) / grain * grain;
}
}  // namespace

std::string_view name_of(MemoryClass memory_class) {
  switch (memory_class) {
    case MemoryClass::parameter:
      return "parameters";
    case MemoryClass::gradient:
      return "gradients";
    case MemoryClass::optimizer:
      return "optimizer";
    case MemoryClass::activation:
      return "activations";
    case MemoryClass::workspace:
      return "workspace";
    case MemoryClass::communication:
      return "communication";
  }
  return "?";
}

void* Allocator::allocate(std::size_t bytes, MemoryClass memory_class) {
  const std::size_t capacity = capacity_for(bytes);
  std::lock_guard lock(mutex_);
  void* block = nullptr;
  const auto fit = cached_.lower_bound(capacity);
  if (fit != cached_.end() && fit->first == capacity) {
    block = fit->second;
    cached_.erase(fit);
  } else {
    block = obtain(capacity);
    if (block == nullptr) {  // give the cache back to the system and try once more
      for (const auto& [size, cached] : cached_) give_back(cached, size);
      cached_.clear();
      block = obtain(capacity);
    }
    if (block == nullptr) {
      throw OutOfMemoryError("memory: no room for {} bytes of {}; {} bytes are in use", bytes,
                             name_of(memory_class), stats_.total_live);
    }
  }
  add(static_cast<std::int64_t>(bytes), memory_class);
  return block;
}

void Allocator::release(void* block, std::size_t bytes, MemoryClass memory_class) noexcept {
  std::lock_guard lock(mutex_);
  add(-static_cast<std::int64_t>(bytes), memory_class);
  cached_.emplace(capacity_for(bytes), block);
}

void Allocator::reclassify(std::size_t bytes, MemoryClass from, MemoryClass to) {
  std::lock_guard lock(mutex_);
  add(-static_cast<std::int64_t>(bytes), from);
  add(static_cast<std::int64_t>(bytes), to);
}

void Allocator::add(std::int64_t bytes, MemoryClass memory_class) {
  const auto c = static_cast<std::size_t>(memory_class);
  stats_.live[c] += bytes;
  stats_.total_live += bytes;
  stats_.peak[c] = std::max(stats_.peak[c], stats_.live[c]);
  if (stats_.total_live > stats_.total_peak) {
    stats_.total_peak = stats_.total_live;
    stats_.at_peak = stats_.live;
  }
}

MemoryStats Allocator::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

void Allocator::reset_peak() {
  std::lock_guard lock(mutex_);
  stats_.peak = stats_.live;
  stats_.at_peak = stats_.live;
  stats_.total_peak = stats_.total_live;
}

void Allocator::drop_cached() noexcept {
  for (const auto& [size, block] : cached_) give_back(block, size);
  cached_.clear();
}

void* HostAllocator::obtain(std::size_t bytes) {
  if (bytes < kHugeBlock) return std::aligned_alloc(64, bytes);
  void* block = std::aligned_alloc(kHugePage, bytes);
  if (block != nullptr) madvise(block, bytes, MADV_HUGEPAGE);
  return block;
}

void HostAllocator::give_back(void* block, std::size_t) noexcept { std::free(block); }

void* PhantomAllocator::obtain(std::size_t bytes) {
  void* block = reinterpret_cast<void*>(next_);
  next_ += (bytes + 63) / 64 * 64;
  return block;
}

void PhantomAllocator::give_back(void*, std::size_t) noexcept {}

}  // namespace ty
