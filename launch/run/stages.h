// How a job's model is cut into the stages of its pipeline, and what they do in a step.
#pragma once

#include "launch/job/job_config.h"
#include "launch/run/training_step.h"
#include "models/transformer/partition.h"
#include "models/transformer/spec.h"
#include "parallel/mesh/mesh.h"
#include "parallel/pipeline/action.h"

namespace ty {

// The blocks of each virtual stage: as parallel.stages says, or of about equal cost. A function of
// job and model alone, so all ranks agree. Throws ConfigError if there are too few blocks.
Partition partition_of(const JobConfig& job, const ModelSpec& spec, int stages);

// The same for stages of about equal cost with sequences of so many tokens; of `shape`, the stages
// and chunks count.
Partition even_partition(const ModelSpec& spec, const PipeShape& shape, std::int64_t length);

// The work of each block of a model in a forward pass over a batch, the last one's loss included;
// in floating-point operations, with bytes moved counted as what else could have been done.
std::vector<double> block_costs(const ModelSpec& spec, std::int64_t sequences, std::int64_t length);

// What a data rank's pipeline is made of.
PipeShape pipe_shape(const JobConfig& job, const MeshShape& mesh, int data_rank);
// The schedule that a job names, and how its stages follow it.
MakeProgram program_maker(const JobConfig& job);
ExecutionOrder execution_order(const JobConfig& job);

// Throws ConfigError if the schedule cannot serve the micro-batches of some rank, or the model
// cannot be cut into so many stages.
void check_stages(const JobConfig& job, const ModelSpec& spec, const MeshShape& mesh);

}  // namespace ty
