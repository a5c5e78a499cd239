// How large launches are. What a kernel computes does not depend on it (kernel/reduce.h), so the
// tests compare two devices of different size.
#pragma once

#include <algorithm>

#include "core/backend/cuda/kernel/portable.h"
#include "core/backend/cuda/runtime/graph_stream.h"

namespace ty::cuda {

class Launcher {
 public:
  Launcher(runtime::GraphStream& stream, int multiprocessors)
      : stream_(stream), most_blocks_(std::int64_t{kBlocksPerMultiprocessor} * multiprocessors) {}

  // Before a library puts work into the stream.
  void announce(const char* what) const { stream_.issue(what); }

  // A grid of whole blocks with a thread, a warp or a block for each item, or for every few.
  kernel::Grid for_threads(std::int64_t items) const {
    return {blocks((items + kernel::kMostThreads - 1) / kernel::kMostThreads), 1};
  }
  kernel::Grid for_warps(std::int64_t items) const {
    return {blocks((items + kernel::kWarps - 1) / kernel::kWarps), 1};
  }
  kernel::Grid for_blocks(std::int64_t items) const { return {blocks(items), 1}; }

  template <typename... P, typename... A>
  void operator()(const char* what, kernel::Grid grid, void (*function)(P...),
                  const A&... arguments) const {
    kernel::launch(stream_.issue(what), grid, kernel::kMostThreads, function, arguments...);
    runtime::check_launch(what);
  }

 private:
  static constexpr int kBlocksPerMultiprocessor = 16;
  std::int64_t blocks(std::int64_t wanted) const {
    return std::clamp<std::int64_t>(wanted, 1, most_blocks_);
  }

  runtime::GraphStream& stream_;
  std::int64_t most_blocks_;
};

}  // namespace ty::cuda
