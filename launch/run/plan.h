// What a job will need, found out before it starts by taking one step without memory or arithmetic.
#pragma once

#include <vector>

#include "core/backend/allocator.h"
#include "launch/job/job_config.h"
#include "launch/run/optim_rules.h"
#include "launch/run/step_work.h"
#include "launch/run/traffic.h"
#include "launch/run/trained_parameters.h"
#include "models/transformer/partition.h"
#include "models/transformer/spec.h"

namespace ty {

struct Plan {
  MeshShape mesh;
  int stage = 0;                   // of the pipeline, from 0
  std::vector<BlockRange> blocks;  // that it has, by chunk
  std::vector<ChunkWork> chunks;   // what its actions take
  StepWork after_actions;          // reduction, norm and update
  double message_bytes = 0;        // of an activation that crosses to the next stage
  std::int64_t parameters = 0;     // numbers in the whole model
  std::int64_t trained = 0;        // of them, those that are trained
  // If adapters or section optim say something:
  std::vector<UpdateGroup> updates = {};
  std::vector<TrainedShare> shares = {};
  MemoryStats memory;                // bytes of one rank over one step
  double matrix_flops = 0;           // of one rank's step
  Traffic traffic;                   // of one rank in its step
  double tokens = 0;                 // of the global batch
  std::vector<LinearSite> linear;    // what the rules came to
  std::int64_t tokens_per_pass = 0;  // of one rank's micro-batch
  bool reuses_weights = false;       // over a step's micro-batches
};

// The plan of the first rank of a stage, of so many ranks. Throws ConfigError if the job's degrees
// do not fit. Allocates next to nothing, whatever the model's size.
Plan make_plan(const JobConfig& job, const ModelSpec& config, int ranks, int stage = 0);

// The memory of a model that is only run, on a batch of `sequences` x `length` ids: weights, and
// what a forward pass with its loss takes at most; of rank 0, where several share the model.
// Allocates next to nothing.
MemoryStats plan_inference(const ModelSpec& spec, DType dtype, std::int64_t sequences,
                           std::int64_t length, const MeshShape& mesh = {});

}  // namespace ty
