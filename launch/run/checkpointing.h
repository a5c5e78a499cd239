// Saving and restoring a training run: a model directory, optimizer shards and a manifest,
// committed together (core/io/checkpoint.h). The directory holds whole parameters, in one file per
// stage of a pipeline (checkpoint_weights.h); optimizer state goes by place in the whole
// (optimizer_state.h). So any number of data, tensor and pipeline ranks, sharded or not, can go on
// from it.
#pragma once

#include <optional>
#include <string>

#include "core/io/checkpoint.h"
#include "launch/run/best_step.h"
#include "launch/run/training_setup.h"
#include "parallel/mesh/mesh.h"

namespace ty {

// How far a run has come. Samples are counted, not worked out from the step: the batch may change.
struct Position {
  std::int64_t step = 0;     // steps done
  std::int64_t samples = 0;  // sequences that were trained on
  std::int64_t tokens = 0;   // of them
  BestStep best = {};        // if evaluations are compared
};

struct CheckpointContext {
  Path directory;  // run_dir/checkpoints
  std::string run_id;
  Mesh mesh = Mesh(Group(), {});
  Path tokenizer_directory;  // its files go into every checkpoint; may be empty
  std::uint64_t tokenizer_fingerprint = 0;
  bool sharded = false;  // every rank holds a part of the optimizer state
  std::int64_t keep = 3;
  bool keep_best = false;                // besides
  std::vector<std::string> frozen = {};  // names of parameters that are not trained
  // The last one that this run has restored or saved: its file of what is frozen is used again.
  std::optional<Checkpoint> before = {};
  bool allow_changes = false;  // another tokenizer or optimizer may go on from a checkpoint
};

// What a checkpoint holds. On each rank its part.
struct TrainingState {
  const ModelSpec& spec;
  FlatParameters& parameters;
  GradientReducer& reducer;
  Optimizer& optimizer;
  LossScale& loss_scale;
};
TrainingState state_of(TrainingSetup& setup);

struct SaveOutcome {
  std::string error;    // why nothing was saved, on all ranks alike; empty if it was
  std::string warning;  // rank 0: what could not be done after that; may be empty
};
// Saves the state at a position; the caller decides whether to go on after an error. A collective
// call. Throws NonFiniteError, on all ranks, for weights or moments that no run could go on from;
// then nothing is saved either.
SaveOutcome save_checkpoint(const CheckpointContext& context, const TrainingState& state,
                            const Position& position);
inline SaveOutcome save_checkpoint(const CheckpointContext& context, TrainingSetup& setup,
                                   const Position& position) {
  return save_checkpoint(context, state_of(setup), position);
}

// Restores weights and optimizer, and says where the run was. The moments of what was frozen then
// and is trained now begin with zero. Throws DataError if the checkpoint belongs to another model,
// tokenizer or optimizer.
Position restore_checkpoint(const CheckpointContext& context, const Checkpoint& checkpoint,
                            const TrainingState& state);
inline Position restore_checkpoint(const CheckpointContext& context, const Checkpoint& checkpoint,
                                   TrainingSetup& setup) {
  return restore_checkpoint(context, checkpoint, state_of(setup));
}

}  // namespace ty
