#include "tests/support/cuda/device_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <map>

namespace ty::cuda::emulated {

namespace {

constexpr std::size_t kPoisoned = std::size_t{256} << 10;  // more takes long

std::map<void*, std::size_t> blocks;  // with their sizes
bool is_guarded = false;
int accesses = 0;

void protect(void* block, std::size_t bytes, bool reachable) {
  mprotect(block, bytes, reachable ? PROT_READ | PROT_WRITE : PROT_NONE);
}
void protect_all(bool reachable) {
  for (const auto& [block, bytes] : blocks) protect(block, bytes, reachable);
}

}  // namespace

void* take_memory(std::size_t bytes) {
  void* block = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) return nullptr;
  std::memset(block, 0xff, std::min(bytes, kPoisoned));
  blocks[block] = bytes;
  if (is_guarded && accesses == 0) protect(block, bytes, false);
  return block;
}

void drop_memory(void* block) {
  const auto found = blocks.find(block);
  if (found == blocks.end()) return;
  munmap(block, found->second);
  blocks.erase(found);
}

void guard_memory(bool guarded) {
  is_guarded = guarded;
  protect_all(!guarded || accesses > 0);
}

Access::Access() {
  if (accesses++ == 0 && is_guarded) protect_all(true);
}
Access::~Access() {
  if (--accesses == 0 && is_guarded) protect_all(false);
}

}  // namespace ty::cuda::emulated
