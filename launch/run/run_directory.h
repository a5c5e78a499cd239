// What a run leaves behind besides checkpoints: config.yaml, manifest.json, metrics.jsonl,
// samples.txt. Used by rank 0 only.
//
// Opening a directory changes nothing in it but the lock; what is written begins with begin(), once
// the caller has found that the job may go on there.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/io/checkpoint.h"
#include "core/io/file.h"
#include "core/io/run_lock.h"
#include "launch/job/job_config.h"

namespace ty {

class RunDirectory {
 public:
  // Looks at a directory, which need not exist. Throws UsageError if another job works there,
  // DataError if config.yaml or manifest.json are damaged or no checkpoint of several is valid.
  explicit RunDirectory(const Path& directory);

  const Path& path() const { return directory_; }
  // The newest checkpoint that is whole, if there is any, and damaged ones after it.
  const NewestCheckpoint& newest() const { return newest_; }
  // The job that the run was started with; nothing if config.yaml is missing.
  const std::optional<JobConfig>& job() const { return job_; }
  // manifest.json; an empty object if it is missing.
  const nlohmann::json& manifest() const { return manifest_; }
  // Names the run through all its restarts; "" until it has begun.
  std::string run_id() const;

  // Makes and locks the directory if it was not there, writes config.yaml and manifest.json
  // (`facts` and what the job says), and takes back what was logged after `step`: a resumed run
  // logs it again. -1: all of it.
  void begin(const JobConfig& job, nlohmann::json facts, std::int64_t step);

  // One line of metrics.jsonl; one entry of samples.txt. Whole or not at all: throw IoError if that
  // cannot be written.
  void log(const nlohmann::json& line);
  void add_sample(std::int64_t step, const std::string& text);

 private:
  void append(const char* name, const std::string& text);

  Path directory_;
  std::unique_ptr<RunLock> lock_;
  NewestCheckpoint newest_;
  std::optional<JobConfig> job_;
  nlohmann::json manifest_ = nlohmann::json::object();
};

}  // namespace ty
