// What a run leaves behind besides checkpoints: config.yaml, manifest.json, metrics.jsonl,
// samples.txt. Written by rank 0 only.
#pragma once

#include <cstdio>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/io/file.h"
#include "core/io/run_lock.h"
#include "launch/job_config.h"

namespace ty {

class RunDirectory {
 public:
  // Makes the directory, locks it, and writes config.yaml and manifest.json. Throws UsageError if
  // another job works there, ConfigError if the directory belongs to a job with another model or
  // data. `facts` go into the manifest.
  RunDirectory(const JobConfig& job, const std::vector<std::string>& argv,
               const nlohmann::json& facts);

  const std::string& run_id() const { return run_id_; }
  // Drops metrics of steps after `step`: a resumed run writes them again.
  void rewind_metrics(std::int64_t step);
  // One line of metrics.jsonl.
  void log(const nlohmann::json& line);
  void add_sample(std::int64_t step, const std::string& text);

 private:
  Path directory_;
  RunLock lock_;
  std::string run_id_;
};

// Where the newest model of a path lies: a run directory's newest checkpoint, or the path itself if
// it is a model directory or checkpoint. Throws UsageError that says what was looked for.
Path find_model(const Path& path);

}  // namespace ty
