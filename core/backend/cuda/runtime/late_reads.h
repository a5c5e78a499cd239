// Copies to the host that nobody waits for yet, each in page-locked memory of its own until it is
// taken. The blocks are used again.
#pragma once

#include <map>
#include <memory>

#include "core/backend/cuda/runtime/host_wait.h"

namespace ty::cuda::runtime {

class LateReads {
 public:
  // The copies that this makes must not outlive it.
  LateReads(GraphStream& stream, const HostWait& wait) : stream_(stream), wait_(wait) {}
  ~LateReads();
  LateReads(const LateReads&) = delete;
  LateReads& operator=(const LateReads&) = delete;

  // After all that was issued on the stream so far.
  std::unique_ptr<HostCopy> start(const void* device, std::size_t bytes);

 private:
  struct Block {
    void* memory;
    Event done;  // the last copy into it
  };
  class Copy;
  Block take(std::size_t capacity);

  GraphStream& stream_;
  const HostWait& wait_;
  std::multimap<std::size_t, Block> free_;  // by capacity
};

}  // namespace ty::cuda::runtime
