// Which model a path means: a run's newest checkpoint, or what lies there itself.
#pragma once

#include <string>

#include "core/io/file.h"

namespace ty {

struct ModelPath {
  Path directory;       // with config.json
  std::string warning;  // why newer checkpoints of the run were passed over; may be empty
};

// A run directory: its newest checkpoint that is whole. A checkpoint: itself, read and compared
// with its manifest. A model directory: itself. Throws UsageError that says what was looked for,
// DataError if the checkpoint is damaged or the run has none that is whole.
ModelPath find_model(const Path& path);

}  // namespace ty
