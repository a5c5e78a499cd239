// By what a job's ranks send tensors that lie on a device.
#pragma once

#include "core/backend/backend.h"
#include "launch/job/parallel_section.h"
#include "parallel/mesh/mesh.h"

namespace ty {

// Makes on(backend) of the mesh's groups work, all of them now and in one order; nothing to do
// where the backend's memory is the host's. automatic: NCCL where it is installed and no two ranks
// share a card, else the host's own transport. Throws ConfigError if the transport is not to be
// had. A collective call.
void open_device_plane(const Mesh& mesh, Backend& backend, Transport transport);

}  // namespace ty
