// Checks of a job that need none of its data. All verbs that use a job run them, so that a job
// accepted by `config check` can fail in training only because of its data or the machine.
#pragma once

#include "launch/job/job_config.h"
#include "parallel/mesh/mesh.h"

namespace ty {

// The mesh of a job on so many ranks. Throws ConfigError if its degrees do not fit.
MeshShape mesh_shape(const JobConfig& job, int ranks);

// All ranks must run the same job: throws ConfigError, with the first line in which two of them
// differ, if they do not. A collective call.
void check_same_job(const JobConfig& job, const Group& world);

// Throws ConfigError for a device that is not available, rules and patterns that match nothing or
// do not fit the model, and a batch or reduction that does not fit so many data ranks. Reads model
// and tokenizer directories, and throws DataError or IoError for errors in them.
void check_job(const JobConfig& job, int data_ranks);

// Loads and checks the job of a file, for so many data ranks if given, otherwise for the number it
// states.
config::Loaded<JobConfig> load_checked_job(const std::filesystem::path& file,
                                           const config::Overrides& overrides,
                                           std::optional<int> data_ranks = std::nullopt);

}  // namespace ty
