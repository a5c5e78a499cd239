// Memory of the device and copies to and from it.
#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <vector>

#include "core/backend/cuda/device/cuda_backend.h"
#include "tests/support/cuda/device_memory.h"

namespace ty::cuda {
namespace {

TEST(DeviceMemory, SmallBlocksAreAlignedAndUsedAgain) {
  runtime::GraphStream stream(0, false);
  runtime::DeviceAllocator memory(stream);
  std::vector<void*> blocks;
  for (std::size_t bytes : {1, 64, 100, 5000, 300000, 900000, 1 << 20}) {
    blocks.push_back(memory.allocate(bytes, MemoryClass::activation));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(blocks.back()) % 256, 0u) << bytes;
  }
  EXPECT_EQ(memory.stats().of(MemoryClass::activation), 1 + 64 + 100 + 5000 + 1200000 + (1 << 20));
  memory.release(blocks[2], 100, MemoryClass::activation);
  EXPECT_EQ(memory.allocate(100, MemoryClass::gradient), blocks[2]);
}

TEST(DeviceMemory, LongCopiesGoThroughTheStagingChunks) {
  CudaBackend backend({});
  const std::int64_t count = (std::int64_t{9} << 20) / 4 + 3;
  std::vector<std::int32_t> sent(static_cast<std::size_t>(count)), got(sent);
  std::iota(sent.begin(), sent.end(), 7);
  const Scratch memory(backend.memory(), 4 * count);
  const View x = contiguous_view(memory.data(), DType::i32, {count});
  backend.write(x, sent.data());
  backend.read(got.data(), x);
  EXPECT_EQ(got, sent);
}

TEST(DeviceMemory, WorkspaceOfKernelsIsCountedAndGivenBack) {
  CudaBackend backend({});
  const std::int64_t before = backend.memory().stats().total_live;
  const Scratch memory(backend.memory(), 4096 * 4 + 8);
  const View x = contiguous_view(memory.data(), DType::f32, {4096});
  backend.fill(x, 2.0);
  const View sum = contiguous_view(memory.as<float>(4096), DType::f64, {1});
  backend.sum_squares(sum, x);
  double value = 0;
  backend.read(&value, sum);
  EXPECT_EQ(value, 4.0 * 4096);
  EXPECT_EQ(backend.memory().stats().total_live, before + 4096 * 4 + 8);
  EXPECT_GE(backend.memory().stats().total_peak, before + 4096 * 4 + 16);
}

TEST(DeviceMemoryDeathTest, IsOutOfTheHostsReachWhereTestsWantThat) {
  runtime::GraphStream stream(0, false);
  runtime::DeviceAllocator memory(stream);
  auto* block = static_cast<int*>(memory.allocate(64, MemoryClass::workspace));
  emulated::guard_memory(true);
  EXPECT_DEATH(*block = 1, "");
  emulated::guard_memory(false);
  *block = 1;
  memory.release(block, 64, MemoryClass::workspace);
}

}  // namespace
}  // namespace ty::cuda
