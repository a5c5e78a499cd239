// The files of a run besides its checkpoints: config.yaml, manifest.json, metrics.jsonl,
// samples.txt. Used by rank 0 only.
//
// Opening a directory changes nothing in it but the lock. Writing starts with begin(), once the
// caller has established that the job may continue there.
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
  // Opens a directory, which need not exist. Throws UsageError if another job is working there,
  // DataError if config.yaml or manifest.json is damaged or if there are checkpoints but none is
  // valid.
  explicit RunDirectory(const Path& directory);

  const Path& path() const { return directory_; }
  // The newest undamaged checkpoint, if any, and the damaged ones after it.
  const NewestCheckpoint& newest() const { return newest_; }
  // The job that the run was started with; nothing if config.yaml is missing.
  const std::optional<JobConfig>& job() const { return job_; }
  // manifest.json; an empty object if it is missing.
  const nlohmann::json& manifest() const { return manifest_; }
  // Identifies the run across restarts; "" until it has begun.
  std::string run_id() const;

  // Creates and locks the directory if it did not exist, writes config.yaml and manifest.json
  // (`facts`, and name and seed of the job), and removes what was logged after `step`, which a
  // resumed run logs again; -1: everything.
  void begin(const JobConfig& job, nlohmann::json facts, std::int64_t step);

  // Append one line to metrics.jsonl, or one entry to samples.txt, completely or not at all. Throw
  // IoError if that fails.
  void log(const nlohmann::json& line);
  void add_sample(std::int64_t step, const std::string& text);
  // Replaces trace.json. Throws IoError likewise.
  void write_trace(const std::string& text);

 private:
  void append(const char* name, const std::string& text);

  Path directory_;
  std::unique_ptr<RunLock> lock_;
  NewestCheckpoint newest_;
  std::optional<JobConfig> job_;
  nlohmann::json manifest_ = nlohmann::json::object();
};

}  // namespace ty
