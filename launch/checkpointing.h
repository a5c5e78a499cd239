// Saving and restoring a training run: a model directory, optimizer shards and a manifest,
// committed together (core/io/checkpoint.h). Optimizer state is stored by parameter name and
// position, so any number of data ranks, sharded or not, can go on from it.
#pragma once

#include <optional>
#include <string>

#include "core/io/checkpoint.h"
#include "launch/training_setup.h"
#include "parallel/comm/communicator.h"

namespace ty {

struct CheckpointContext {
  Path directory;  // run_dir/checkpoints
  std::string run_id;
  Group world;
  Path tokenizer_directory;  // its files go into every checkpoint; may be empty
  std::uint64_t tokenizer_fingerprint = 0;
  bool sharded = false;  // every rank holds a part of the optimizer state
  std::int64_t keep = 3;
};

// Saves the state after `step` steps. A collective call. Returns "" or, on all ranks, why nothing
// was saved; the caller decides whether to go on. Throws NonFiniteError, on all ranks, for weights
// or moments that no run could go on from; then nothing is saved either.
std::string save_checkpoint(const CheckpointContext& context, TrainingSetup& setup,
                            std::int64_t step);

// What a resumed run starts from.
struct Resumed {
  std::int64_t step = 0;  // steps done
  std::string run_id;
  std::string warning;  // names damaged checkpoints that were passed over; may be empty
};
// Restores weights and optimizer from the newest valid checkpoint, if there is any. A collective
// call. Throws DataError if there are checkpoints and none is valid, or if it belongs to another
// model or tokenizer.
std::optional<Resumed> restore_checkpoint(const CheckpointContext& context, TrainingSetup& setup);

}  // namespace ty
