// What kernels are written in where no CUDA compiler reads them: threads of a block as fibers of
// one host thread. Declared here, defined by tests/support/cuda/emulator.cpp; nothing else may use
// it.
#pragma once

#include <cstdint>
#include <functional>

namespace ty::cuda::emulated {

struct Place {
  std::int64_t thread = 0, threads = 1;     // of the block
  std::int64_t block_x = 0, block_y = 0;    // of the grid
  std::int64_t blocks_x = 1, blocks_y = 1;  // its size
};

// Of the running fiber.
const Place& place();
// Waits for all threads of the block.
void barrier();
// Gives these bits to the other lanes of the warp, and returns those of lane `from`.
std::uint64_t exchange(std::uint64_t bits, int from);
// Runs `body` once for every thread of the grid; returns when all have ended.
void run(std::int64_t blocks_x, std::int64_t blocks_y, int threads,
         const std::function<void()>& body);

}  // namespace ty::cuda::emulated
