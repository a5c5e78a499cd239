// The weights of a checkpoint: whole parameters in files of a model directory.
//
//   nothing is frozen    model.safetensors
//   something is         model-trained.safetensors, model-frozen.safetensors and an index; the
//                        second is written once, and is one file on disk (a hard link) for all
//                        checkpoints that follow
//   stages of a pipeline a file of each kind per stage, "model-00001-of-00002.safetensors" or
//                        "model-frozen-00001-of-00002.safetensors", and an index
#pragma once

#include <string>
#include <vector>

#include "launch/run/checkpointing.h"

namespace ty {

// Writes those of this rank's stage, by the stage's first rank with the help of its tensor group: a
// collective call. Returns what goes into the index, as JSON; "" where nothing was written.
std::string write_weights(CheckpointWriter& writer, const CheckpointContext& context,
                          const TrainingState& state);

// Writes the index of what all ranks have written, if there is more than model.safetensors.
void write_index(CheckpointWriter& writer, const CheckpointContext& context,
                 const std::vector<std::string>& entries);

}  // namespace ty
