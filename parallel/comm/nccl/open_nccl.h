// Ranks with a card of NVIDIA's each, over NCCL.
#pragma once

#include <memory>

#include "parallel/comm/communicator.h"

namespace ty {

struct GpuLibraries;

struct NcclOptions {
  double patience_seconds = kDefaultPatience;
  // Compares each collective over all ranks on the host before it is issued, and throws CommError
  // where they differ. Slow: to find what hangs.
  bool check_calls = false;
};

// The version of the NCCL that is installed: "2.28.9". Throws ConfigError if there is none.
std::string nccl_version();

// The ranks of `host` for tensors of this backend, which must be a DeviceQueue. A collective call.
// Groups of it are split(). Throws CommError where two ranks share a card, which NCCL refuses, and
// ConfigError where NCCL or the CUDA runtime is not installed.
Group open_nccl(const Group& host, Backend& backend, const NcclOptions& options = {});
// The same with other functions: for tests.
Group open_nccl(const Group& host, Backend& backend, const NcclOptions& options,
                std::shared_ptr<const GpuLibraries> gpu);

}  // namespace ty
