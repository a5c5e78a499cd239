// Replica check: weights that several ranks hold have the same bits on all of them.
//
// Nothing ever copies them from rank to rank: each rank takes the same step from the same sum of
// gradients. A wrong collective, a flipped bit or an update on one rank only leaves ranks that
// train different models, and losses look healthy for a long time.
#pragma once

#include <cstdint>

#include "core/nn/flat_parameters.h"
#include "parallel/mesh/mesh.h"

namespace ty {

// Compares hashes of all weights along the data axis, and of those that are not cut along the
// tensor axis: of what the model reads and, unless the optimizer is sharded and a rank has current
// ones of its own shard only, of what the optimizer updates. A collective call of the mesh's world,
// after share_weights(). Throws InternalError, on all ranks alike, that names the first parameter
// that differs, `step`, and which ranks hold what.
void check_replicas(const FlatParameters& parameters, const Mesh& mesh, bool is_sharded,
                    std::int64_t step);

}  // namespace ty
