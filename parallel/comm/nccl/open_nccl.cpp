#include "parallel/comm/nccl/open_nccl.h"

#include <array>
#include <cstring>

#include "core/backend/backend.h"
#include "core/base/error.h"
#include "parallel/comm/nccl/nccl_communicator.h"
#include "parallel/comm/nccl/nccl_types.h"
#include "parallel/comm/self/self.h"

namespace ty {

namespace {

void check_cards(const std::vector<std::string>& cards) {
  for (std::size_t r = 1; r < cards.size(); ++r) {
    for (std::size_t other = 0; other < r; ++other) {
      if (cards[other] != cards[r]) continue;
      throw CommError(
          "ranks {} and {} share the card {}, which NCCL does not serve; use "
          "parallel.transport: mpi",
          other, r, cards[r]);
    }
  }
}

// Drawn by the first rank.
ncclUniqueId common_id(const Group& host, const GpuLibraries& gpu) {
  ncclUniqueId id = {};
  if (host.rank() == 0) TY_NCCL_CALL(gpu, get_unique_id, &id);
  std::array<std::int32_t, NCCL_UNIQUE_ID_BYTES / sizeof(std::int32_t)> words = {};
  std::memcpy(words.data(), id.internal, sizeof(id.internal));
  host.broadcast(contiguous_view(words.data(), DType::i32, {std::ssize(words)}), 0).wait();
  std::memcpy(id.internal, words.data(), sizeof(id.internal));
  return id;
}

}  // namespace

std::string nccl_version() {
  const auto gpu = open_gpu_libraries();
  int version = 0;
  TY_NCCL_CALL(*gpu, get_version, &version);
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

Group open_nccl(const Group& host, Backend& backend, const NcclOptions& options) {
  return open_nccl(host, backend, options, open_gpu_libraries());
}

Group open_nccl(const Group& host, Backend& backend, const NcclOptions& options,
                std::shared_ptr<const GpuLibraries> gpu) {
  auto* queue = dynamic_cast<DeviceQueue*>(&backend);
  if (queue == nullptr) {
    throw ConfigError(Key{"parallel.transport"}, "nccl wants run.device: cuda, not backend {}",
                      backend.name());
  }
  if (host.size() == 1) return Group(std::make_shared<SelfCommunicator>(CommMemory(backend)));
  Group control = host.split(0, host.rank());
  check_cards(control.all_gather_text(queue->card()));
  auto session =
      std::make_shared<GpuSession>(gpu, *queue, control.watch(), options.patience_seconds);
  const ncclUniqueId id = common_id(control, *gpu);
  ncclConfig_t config = nccl_config();
  auto comm = std::make_unique<NcclComm>(session);
  TY_NCCL_CALL(*gpu, init_rank, comm->slot(), control.size(), id, control.rank(), &config);
  comm->settle({"init_rank", -1, DType::f32, host.size()});
  return Group(std::make_shared<NcclCommunicator>(std::move(comm), std::move(control), backend,
                                                  session, options.check_calls));
}

}  // namespace ty
