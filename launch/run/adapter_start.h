// The first values of adapters that depend on the weights beside which they stand
// (models/linear/lora/start.h).
#pragma once

#include "launch/job/job_config.h"
#include "models/huggingface/model_directory.h"
#include "parallel/comm/communicator.h"

namespace ty {

// Sets them, and what is left of those weights, once all other weights of a model that gets new
// adapters are set. Rank 0 computes them from model.from, or from what job and seed draw, so that
// all ranks have the same bits. A collective call. Throws DataError and IoError as StoredModel
// does, on all ranks.
void start_adapters(const JobConfig& job, OpenedModel& model, const Group& world);

}  // namespace ty
