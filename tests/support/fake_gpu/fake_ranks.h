// Ranks with a card each, as threads.
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

// Runs body on `ranks` threads. If one throws, so does this.
void run_fake_ranks(int ranks, const std::function<void(const FakeRank&)>& body,
                    const NcclOptions& options = {.patience_seconds = 60.0});

// The ranks of a device group, for which waiting means that the host sees the result.
Group settled(const Group& device, FakeBackend& backend);

}  // namespace ty::test
