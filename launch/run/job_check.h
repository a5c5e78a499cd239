// What can be known to be wrong with a job before its data is read. All verbs that use a job ask
// this, so that what `config check` accepts fails in training by its data or machine only.
#pragma once

#include "launch/job/job_config.h"
#include "parallel/mesh/mesh.h"

namespace ty {

// The degrees of a job on so many ranks. Throws ConfigError if they do not fit.
MeshShape mesh_shape(const JobConfig& job, int ranks);

// All ranks must run the same job: throws ConfigError, with the first line in which two of them
// differ, if they do not. A collective call.
void check_same_job(const JobConfig& job, const Group& world);

// Throws ConfigError for a device that is not to be had, rules and patterns that match nothing or
// do not fit the model, and a batch or reduction that does not fit so many data ranks. Reads model
// and tokenizer directories: DataError or IoError for what is wrong with them.
void check_job(const JobConfig& job, int data_ranks);

// The job of a file, checked, for so many data ranks if they are given and else for as many as it
// states.
config::Loaded<JobConfig> load_checked_job(const std::filesystem::path& file,
                                           const config::Overrides& overrides,
                                           std::optional<int> data_ranks = std::nullopt);

}  // namespace ty
