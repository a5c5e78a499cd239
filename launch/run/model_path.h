// The model that a path denotes: the newest checkpoint of a run, or the model at the path itself.
#pragma once

#include <string>

#include "core/io/file.h"

namespace ty {

struct ModelPath {
  Path directory;       // with config.json
  std::string warning;  // why newer checkpoints of the run were skipped; may be empty
};

// For a run directory, its newest undamaged checkpoint; for a checkpoint, itself, verified against
// its manifest; for a model directory, itself. Throws UsageError that says what is expected, and
// DataError if the checkpoint is damaged or the run has no undamaged one.
ModelPath find_model(const Path& path);

}  // namespace ty
