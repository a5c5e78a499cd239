// Batches of the columns that a model reads, for those who do not care what they hold: plans and
// benchmarks.
#pragma once

#include <functional>

#include "core/data/batch.h"
#include "models/transformer/spec.h"

namespace ty {

// Gives any number in [0, limit).
using DrawId = std::function<std::int32_t(std::int64_t limit)>;

// So many sequences of `length` tokens, none of them padding (images have a length of their own).
// Without `draw` all ids are 0.
HostBatch model_batch(const ModelSpec& spec, std::int64_t sequences, std::int64_t length,
                      const DrawId& draw = {});

}  // namespace ty
