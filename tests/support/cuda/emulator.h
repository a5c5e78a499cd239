// Runs kernels on the host (core/backend/cuda/kernel/emulated.h): blocks one after the other, the
// threads of a block as fibers. A thread runs until it waits for others. What it finds: threads
// that wait for different things, shuffles and barriers that some have left out; and, by running
// the threads in another order, most uses of shared memory without a barrier. What it cannot find:
// what only real concurrency shows.
#pragma once

#include <cstdint>

namespace ty::cuda::emulated {

// In which order blocks, and threads between two waits, are run.
enum class Order : std::uint8_t { ascending, descending };
void set_order(Order order);

}  // namespace ty::cuda::emulated
