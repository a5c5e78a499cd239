#include "launch/run/device_plane.h"

#include <algorithm>

#include "core/backend/device_queue.h"
#include "core/base/error.h"
#include "parallel/comm/staged/staged.h"

#ifdef TY_HAVE_NCCL
#include "parallel/comm/nccl/open_nccl.h"
#endif

namespace ty {

namespace {

Group open_staged(const Group& world, Backend& backend) {
  return Group(
      std::make_shared<StagedCommunicator>(world.split(0, world.rank()), CommMemory(backend)));
}

#ifdef TY_HAVE_NCCL

Group open_over_nccl(const Group& world, Backend& backend) { return open_nccl(world, backend); }

// Every rank has NCCL, and a card of its own.
bool suits_nccl(const Group& world, Backend& backend) {
  std::string card;
  try {
    const auto* queue = dynamic_cast<DeviceQueue*>(&backend);
    if (queue != nullptr && !nccl_version().empty()) card = queue->card();
  } catch (const Error&) {
    // not installed here
  }
  std::vector<std::string> cards = world.all_gather_text(card);
  std::sort(cards.begin(), cards.end());
  return !cards.front().empty() && std::unique(cards.begin(), cards.end()) == cards.end();
}

#else

Group open_over_nccl(const Group&, Backend&) {
  throw ConfigError(Key{"parallel.transport"}, "nccl is not part of this build; use auto or mpi");
}
bool suits_nccl(const Group&, Backend&) { return false; }

#endif

}  // namespace

void open_device_plane(const Mesh& mesh, Backend& backend, Transport transport) {
  if (backend.has_host_memory()) {
    if (transport != Transport::nccl) return;
    throw ConfigError(Key{"parallel.transport"},
                      "nccl is for run.device: cuda, but the job runs on backend {}; want auto or "
                      "mpi",
                      backend.name());
  }
  const Group& world = mesh.world();
  const bool over_nccl = transport == Transport::nccl ||
                         (transport == Transport::automatic && suits_nccl(world, backend));
  mesh.carry_over(backend,
                  over_nccl ? open_over_nccl(world, backend) : open_staged(world, backend));
}

}  // namespace ty
