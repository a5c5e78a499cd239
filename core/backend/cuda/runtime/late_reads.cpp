#include "core/backend/cuda/runtime/late_reads.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace ty::cuda::runtime {

namespace {
constexpr std::size_t kLeast = 256;
}

class LateReads::Copy final : public HostCopy {
 public:
  Copy(LateReads& all, Block block, std::size_t capacity, std::size_t bytes)
      : all_(all), block_(block), capacity_(capacity), bytes_(bytes) {}
  // A copy that nobody has taken may still run: take() waits for it before the block's next use.
  ~Copy() override { all_.free_.emplace(capacity_, block_); }
  void take(void* host) override {
    all_.wait_.for_event(block_.done);
    std::memcpy(host, block_.memory, bytes_);
  }

 private:
  LateReads& all_;
  Block block_;
  std::size_t capacity_, bytes_;
};

LateReads::~LateReads() {
  for (const auto& [capacity, block] : free_) {
    destroy_event(block.done);
    give_back_pinned(block.memory);
  }
}

LateReads::Block LateReads::take(std::size_t capacity) {
  const auto found = free_.find(capacity);
  if (found == free_.end()) return {obtain_pinned(capacity), make_event()};
  const Block block = found->second;
  wait_.for_event(block.done);
  free_.erase(found);
  return block;
}

std::unique_ptr<HostCopy> LateReads::start(const void* device, std::size_t bytes) {
  const std::size_t capacity = std::bit_ceil(std::max(bytes, kLeast));
  const Block block = take(capacity);
  auto copy = std::make_unique<Copy>(*this, block, capacity, bytes);
  if (bytes > 0) copy_to_host(block.memory, device, bytes, stream_.issue("copy to host"));
  stream_.record(block.done);
  return copy;
}

}  // namespace ty::cuda::runtime
