// The memory of a model that generates, found out before it runs.
#pragma once

#include <cstdint>
#include <vector>

#include "core/backend/allocator.h"
#include "models/transformer/spec.h"
#include "parallel/mesh/mesh.h"

namespace ty {

struct GenerationShape {
  std::vector<std::int64_t> prompts;  // ids of each
  std::int64_t max_tokens = 0;        // for which room is made
  std::int64_t passes = 0;            // over the model, the prompts' being the first
  std::int64_t beams = 1;             // of each prompt
  bool cached = true;
};

struct GenerationPlan {
  MemoryStats memory;
  std::int64_t cache_bytes = 0;  // of it, keys and values
};

// Weights, keys and values, and what a pass takes at most, if all sequences go on to the end: of
// rank 0, where several share the model. Allocates next to nothing.
GenerationPlan plan_generation(const ModelSpec& spec, DType dtype, const GenerationShape& shape,
                               const MeshShape& mesh = {});

}  // namespace ty
