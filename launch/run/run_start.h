// Starts or resumes a run. All errors in a job, its files and its run directory are found before a
// byte of the directory is written.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "launch/run/dataset.h"
#include "launch/run/run_directory.h"
#include "models/transformer/spec.h"
#include "parallel/comm/communicator.h"
#include "parallel/mesh/mesh.h"

namespace ty {

struct RunStart {
  std::unique_ptr<RunDirectory> directory;  // rank 0 only
  Dataset dataset;
  ModelSpec config;
  std::optional<Checkpoint> checkpoint;  // to resume from
  bool is_finished = false;              // the checkpoint is the last one; nothing is written
  std::string why_finished;
  std::vector<std::string> notes;  // what the user must know before the first step
};

// Compares the job with the run directory, prepares its data, and writes the files of a starting
// run; `facts` go into its manifest. A collective call. Throws, on all ranks: ConfigError for keys
// that may not change once a run has begun, that do not fit its data, or whose model, once the data
// tells its vocabulary, does not fit the mesh; UsageError if another job is working there;
// DataError and IoError for its files.
RunStart start_run(const JobConfig& job, const Group& world, const MeshShape& mesh,
                   const nlohmann::json& facts);

}  // namespace ty
