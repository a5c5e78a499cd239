// A job with a strategy as a sequence of runs, each of which starts from a model that was cut:
//
//   model.from --- [statistics] -- cut ---> DIR/phases/1/model -- tuned by the run -->
//   DIR/phases/1/run its newest checkpoint -- cut ---> DIR/phases/2/model -- tuned by -->
//   DIR/phases/2/run
//   ...
//   DIR/phases/N/model -- tuned by the run --> DIR, the directory of the job
//
// Every run resumes by itself, and a cut appears complete or not at all: a job that was killed goes
// on where it was, with the same numbers.
#pragma once

#include <functional>
#include <string>

#include "launch/job/job_config.h"
#include "launch/process/world.h"
#include "models/compress/compression.h"
#include "parallel/mesh/mesh.h"

namespace ty {

// The job of one of the phases, without a strategy. The seed is the job's in the first phase, and
// another in each further one.
JobConfig job_of_phase(const JobConfig& job, std::size_t phase);

// Throws ConfigError for a job that does not fit the ranks or the model that the first phase cuts,
// and for a phase whose patterns match nothing in it: no phase changes what layers are called. Of
// one rank.
void check_phases(const JobConfig& job, const MeshShape& mesh);

// What rank 0 tells of the work before a phase.
struct PhaseReport {
  std::function<void(std::int64_t done, std::int64_t batches)> statistics;  // its own batches
  std::function<void(const std::string& layer, std::size_t done, std::size_t layers)> progress;
  std::function<void(const Compression& compression)> cut;
};

// Cuts the model that a phase starts from, unless that was done; a method that weighs errors first
// gets statistics of that model, which all ranks take together over the job's training data. A
// collective call. Throws ConfigError for patterns and layers that do not fit the model, and where
// what was cut before was asked for otherwise; and what reading and writing models throws.
void prepare_phase(const JobConfig& job, std::size_t phase, const World& world,
                   const PhaseReport& report);

}  // namespace ty
