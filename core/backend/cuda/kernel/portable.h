// The words that kernels are written in. nvcc reads them as CUDA; g++ reads the same source as
// functions that an emulator runs on the host (emulated.h), so that every kernel is tested without
// a GPU.
//
// A kernel is a function template or function marked TY_KERNEL that takes values and pointers and
// is started by launch(). Blocks are one-dimensional, of at most kMostThreads threads and whole
// warps. All threads of a block reach the same barriers, all lanes of a warp the same shuffles.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#ifdef __CUDACC__
#define TY_KERNEL __global__ __launch_bounds__(ty::cuda::kernel::kMostThreads)
#define TY_DEVICE __device__ __forceinline__
#define TY_SHARED __shared__
#define TY_CONSTANT __grid_constant__
#define TY_UNROLL _Pragma("unroll")
#else
#include "core/backend/cuda/kernel/emulated.h"
#define TY_KERNEL
#define TY_DEVICE inline
#define TY_SHARED static  // blocks are run one after the other
#define TY_CONSTANT
#define TY_UNROLL
#endif

namespace ty::cuda::kernel {

inline constexpr int kMostThreads = 256;
inline constexpr int kWarp = 32;
inline constexpr int kWarps = kMostThreads / kWarp;

// A stream of the CUDA runtime, whose headers stay out of ours.
using Stream = void*;

struct Grid {
  std::int64_t x = 1, y = 1;
};

#ifdef __CUDACC__

TY_DEVICE std::int64_t thread() { return threadIdx.x; }
TY_DEVICE std::int64_t threads() { return blockDim.x; }
TY_DEVICE std::int64_t block() { return blockIdx.x; }
TY_DEVICE std::int64_t blocks() { return gridDim.x; }
TY_DEVICE std::int64_t block_y() { return blockIdx.y; }
TY_DEVICE std::int64_t blocks_y() { return gridDim.y; }

// Waits for all threads of the block; what they wrote before is seen after.
TY_DEVICE void barrier() { __syncthreads(); }
// The value that the lane `mask` away (in bits) holds.
template <typename T>
TY_DEVICE T from_lane_xor(T value, int mask) {
  return __shfl_xor_sync(0xffffffffu, value, mask);
}
// Whether this is the first thread to claim the flag.
TY_DEVICE bool claim(int* flag) { return atomicCAS(flag, 0, 1) == 0; }

template <typename... P, typename... A>
void launch(Stream stream, Grid grid, int threads, void (*kernel)(P...), const A&... arguments) {
  kernel<<<dim3(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y)),
           static_cast<unsigned>(threads), 0, static_cast<cudaStream_t>(stream)>>>(arguments...);
}

#else

inline std::int64_t thread() { return emulated::place().thread; }
inline std::int64_t threads() { return emulated::place().threads; }
inline std::int64_t block() { return emulated::place().block_x; }
inline std::int64_t blocks() { return emulated::place().blocks_x; }
inline std::int64_t block_y() { return emulated::place().block_y; }
inline std::int64_t blocks_y() { return emulated::place().blocks_y; }

inline void barrier() { emulated::barrier(); }
template <typename T>
T from_lane_xor(T value, int mask) {
  using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
  const auto own = std::bit_cast<Bits>(value);
  const int lane = static_cast<int>(thread() % kWarp);
  return std::bit_cast<T>(static_cast<Bits>(emulated::exchange(own, lane ^ mask)));
}
inline bool claim(int* flag) {
  const bool first = *flag == 0;
  *flag = 1;
  return first;
}

template <typename... P, typename... A>
void launch(Stream stream, Grid grid, int threads, void (*kernel)(P...), const A&... arguments) {
  emulated::issue(stream, emulated::operands_of<P...>(arguments...),
                  [=] { emulated::run(grid.x, grid.y, threads, [&] { kernel(arguments...); }); });
}

#endif

TY_DEVICE std::int64_t lane() { return thread() % kWarp; }
// Number of this thread, or of its warp, in the whole (one-dimensional) grid, and how many there
// are.
TY_DEVICE std::int64_t grid_thread() { return block() * threads() + thread(); }
TY_DEVICE std::int64_t grid_threads() { return blocks() * threads(); }
TY_DEVICE std::int64_t grid_warp() { return grid_thread() / kWarp; }
TY_DEVICE std::int64_t grid_warps() { return grid_threads() / kWarp; }

}  // namespace ty::cuda::kernel
