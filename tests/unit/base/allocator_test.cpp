#include "core/backend/allocator.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/base/error.h"

namespace ty {
namespace {

TEST(Allocator, CountsLiveAndPeakBytesByClass) {
  HostAllocator memory;
  void* w = memory.allocate(1000, MemoryClass::parameter);
  void* t = memory.allocate(500, MemoryClass::workspace);
  memory.release(t, 500, MemoryClass::workspace);
  void* a = memory.allocate(200, MemoryClass::workspace);
  memory.reclassify(200, MemoryClass::workspace, MemoryClass::activation);
  const MemoryStats stats = memory.stats();
  EXPECT_EQ(stats.total_live, 1200);
  EXPECT_EQ(stats.total_peak, 1500);
  EXPECT_EQ(stats.of(MemoryClass::activation), 200);
  EXPECT_EQ(stats.peak_of(MemoryClass::workspace), 500);
  EXPECT_EQ(stats.at_peak[static_cast<std::size_t>(MemoryClass::workspace)], 500);
  memory.release(w, 1000, MemoryClass::parameter);
  memory.release(a, 200, MemoryClass::activation);
  EXPECT_EQ(memory.stats().total_live, 0);
  memory.reset_peak();
  EXPECT_EQ(memory.stats().total_peak, 0);
}

TEST(Allocator, HandsAFreedBlockOutAgain) {
  HostAllocator memory;
  void* first = memory.allocate(10 << 20, MemoryClass::workspace);
  memory.release(first, 10 << 20, MemoryClass::workspace);
  void* second = memory.allocate(10 << 20, MemoryClass::gradient);
  EXPECT_EQ(first, second);
  std::memset(second, 1, 10 << 20);
  memory.release(second, 10 << 20, MemoryClass::gradient);
}

TEST(Allocator, RefusalNamesBytesAndClass) {
  HostAllocator memory;
  try {
    memory.allocate(std::size_t{1} << 60, MemoryClass::optimizer);
    FAIL();
  } catch (const OutOfMemoryError& e) {
    EXPECT_NE(std::string(e.what()).find("bytes of optimizer"), std::string::npos) << e.what();
  }
}

TEST(PhantomAllocator, ServesMoreThanTheMachineHas) {
  PhantomAllocator memory;
  void* block = memory.allocate(std::size_t{1} << 46, MemoryClass::parameter);
  EXPECT_EQ(memory.stats().total_peak, std::int64_t{1} << 46);
  memory.release(block, std::size_t{1} << 46, MemoryClass::parameter);
}

}  // namespace
}  // namespace ty
