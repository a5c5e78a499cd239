// Device memory behind the counts and the cache of Allocator.
//
// All kernels of a backend run on one stream, so a freed block may be handed out again at once:
// what uses it next comes after what used it before.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "core/backend/allocator.h"
#include "core/backend/cuda/runtime/graph_stream.h"

namespace ty::cuda::runtime {

class DeviceAllocator final : public Allocator {
 public:
  explicit DeviceAllocator(GraphStream& stream) : stream_(stream) {}
  ~DeviceAllocator() override;

 protected:
  void* obtain(std::size_t bytes) override;
  void give_back(void* block, std::size_t bytes) noexcept override;

 private:
  // A request of its own costs the driver milliseconds and at least kSlab bytes, so small blocks
  // are cut from slabs. They go back to free_ and, with the slabs, to the driver at the end.
  void* cut(std::size_t bytes);

  GraphStream& stream_;
  std::vector<void*> slabs_;
  std::byte* next_ = nullptr;  // what is left of the last slab
  std::size_t left_ = 0;
  std::multimap<std::size_t, void*> free_;  // rounded size -> block
};

}  // namespace ty::cuda::runtime
