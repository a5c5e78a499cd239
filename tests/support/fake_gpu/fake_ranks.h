// Ranks with cards, as threads.
#pragma once

#include <functional>
#include <memory>

#include "parallel/comm/communicator.h"
#include "parallel/comm/nccl/open_nccl.h"
#include "tests/support/fake_gpu/fake_backend.h"

namespace ty::test {

struct FakeRank {
  Group host;    // of all ranks, with a watch
  Group device;  // the same over NCCL
  FakeBackend& backend;
};

// Runs body on `ranks` threads, each with what `make` makes there. If one throws, so does this.
void run_ranks_on(int ranks, const std::function<std::unique_ptr<Backend>()>& make,
                  const std::function<void(const Group& host, const Group& device, Backend&)>& body,
                  const NcclOptions& options = {.patience_seconds = 60.0});
// The same on a FakeBackend.
void run_fake_ranks(int ranks, const std::function<void(const FakeRank&)>& body,
                    const NcclOptions& options = {.patience_seconds = 60.0});

// The ranks of a device group, for which waiting means that the host sees the result.
Group settled(const Group& device, Backend& backend);

}  // namespace ty::test
