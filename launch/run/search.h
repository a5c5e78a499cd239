// A search for the layout of a job on so many ranks: degrees x micro-batches x recomputation x
// schedule, ranked by predicted time among those that fit into memory.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "launch/run/pipeline_plan.h"

namespace ty {

struct SearchOptions {
  MachineRates rates;
  std::int64_t memory_bytes = std::numeric_limits<std::int64_t>::max();  // of each rank
  // Ranks that svd and ttm layers of the job's rules could have; empty: as stated.
  std::vector<std::int64_t> linear_ranks = {};
};

struct Candidate {
  MeshShape mesh;
  PipelineSchedule schedule = PipelineSchedule::one_f_one_b;
  std::int64_t micro_batches = 1, chunks = 1;
  Recompute recompute = Recompute::none;
  std::int64_t linear_rank = 0;  // of svd and ttm layers; 0: as stated

  double step_seconds = 0.0;
  double work_seconds = 0.0;  // of it, what the busiest stage computes
  double sent_seconds = 0.0;  // and sends or waits for in collectives
  double bubble = 0.0;        // share of the step's actions that stages are idle, on average
  std::int64_t peak_bytes = 0;
  bool fits = false;
  std::string why;  // why it is not the first one; of the first one, ""

  // "data 2 x pipeline 2, 1f1b, 8 micro-batches, recompute none"
  std::string text() const;
  // The overrides of the job file that ask for it.
  std::vector<std::string> overrides() const;
};

struct SearchResult {
  std::vector<Candidate> ranked;      // that fit, by time; then those that do not, by memory
  std::vector<std::string> refusals;  // of degrees that the job cannot have, with the reason
};

// The job's own degrees, micro-batches, recomputation and schedule do not count; its batch, model
// and all else do.
SearchResult search_layouts(const JobConfig& job, const ModelSpec& config, int ranks,
                            const SearchOptions& options);

}  // namespace ty
