// Checks of a job that need none of its data. All verbs that use a job run them, so that a job
// accepted by `config check` can fail in training only because of its data or the machine.
#pragma once

#include "launch/run/layout.h"

namespace ty {

// All ranks must run the same job: throws ConfigError, with the first line in which two of them
// differ, if they do not. A collective call.
void check_same_job(const JobConfig& job, const Group& world);

// Throws ConfigError for a batch, a reduction or steps of the optimizer that do not fit the ranks,
// whatever the model.
void check_layout(const JobConfig& job, const MeshShape& mesh);

// Declares the part of a model that a rank of the mesh holds, without memory: throws ConfigError
// for rules and sizes that do not fit the model or the ranks that share it, for a schedule that
// does not fit the ranks, and as check_layout() does.
void check_model(const JobConfig& job, const ModelSpec& config, const MeshShape& mesh);

// Throws ConfigError for a device that is not to be had, rules and patterns that match nothing or
// do not fit the model, and a model, batch or reduction that does not fit the ranks. Reads model
// and tokenizer directories: DataError or IoError for what is wrong with them.
void check_job(const JobConfig& job, const MeshShape& mesh);

// The job of a file, checked, for as many ranks as it states; or for so many, of which data ranks
// take what the other axes leave.
config::Loaded<JobConfig> load_checked_job(const std::filesystem::path& file,
                                           const config::Overrides& overrides,
                                           std::optional<int> ranks = std::nullopt);

}  // namespace ty
