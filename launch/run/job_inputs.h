// The files that a job reads, identified by content: a run whose files were moved is the same run,
// one whose text was edited is not.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/io/file.h"
#include "launch/job/job_changes.h"

namespace ty {

struct JobInput {
  std::string key;  // of the job file: data.train, data.valid, tokenizer.from, model.from
  Path path;        // a file or a directory
  std::string hash;
};

// ContentHash of a file, or of what is read of a model or tokenizer directory. Throws IoError.
std::string content_hash_of(const Path& path);

// Reads and hashes every file that the job names. Throws IoError that begins with the key,
// DataError if model.from is a damaged checkpoint.
std::vector<JobInput> inputs_of(const JobConfig& job);

// {"data.train": {"path": .., "hash": ..}, ..}, for the run's manifest.
nlohmann::json to_json(const std::vector<JobInput>& inputs);

// The inputs that differ from those in a manifest. Adding or removing data.valid is not a fixed
// change: no earlier number depends on it.
std::vector<JobChange> changes_between(const nlohmann::json& before,
                                       const std::vector<JobInput>& after);

}  // namespace ty
