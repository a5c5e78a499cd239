// Ranks of the CUDA backend, as threads, on the cards of a FakeGpu.
#pragma once

#include <functional>

#include "parallel/comm/communicator.h"
#include "parallel/comm/nccl/open_nccl.h"
#include "tests/support/fake_gpu/cuda_on_fake.h"

namespace ty::test {

struct CudaRank {
  Group host;    // of all ranks, with a watch
  Group device;  // the same over NCCL
  CudaOnFake& backend;
};

// Runs body on as many threads as the fake has ranks, each on a card of its own. Where no task
// runs, the cards' memory is out of reach. If one throws, so does this. graphs: as in
// DeviceOptions.
void run_cuda_ranks(FakeGpu& gpu, const std::function<void(const CudaRank&)>& body,
                    const NcclOptions& options = {.patience_seconds = 60.0}, bool graphs = false);

}  // namespace ty::test
