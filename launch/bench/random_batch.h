// Random batches for benchmarks.
#pragma once

#include "core/data/batch.h"
#include "launch/job/job_config.h"
#include "models/transformer/spec.h"
#include "parallel/comm/communicator.h"

namespace ty::bench {

// A data rank's sequences of a job's batch of a step.
HostBatch random_batch(const JobConfig& job, const ModelSpec& spec, const Group& data,
                       std::int64_t step);

}  // namespace ty::bench
