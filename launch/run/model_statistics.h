// Statistics of a stored model's linear layers, taken over examples and written to a file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/io/file.h"
#include "launch/run/statistics_pass.h"
#include "models/statistics/group_scores.h"

namespace ty {

struct StatisticsRequest {
  Path model;  // directory
  std::vector<LinearSite> layers;
  StatisticKinds kinds;
  FisherTerms fisher = FisherTerms::examples;
  const Source& source;
  Path data;  // the file that the source reads
  StatisticsPassOptions options;
  Path target;
};

// What a pass came to.
struct StatisticsOutcome {
  std::uint64_t bytes = 0;  // written
  StatisticsOrigin origin;
  std::vector<GroupScores> groups = {};  // of kind lora
  double loss = 0;                       // mean over targets
  double seconds = 0;
  std::int64_t peak_bytes = 0;
};

// The linear layers of a model that statistics can be taken of.
std::vector<LinearSite> layers_to_watch(const ModelSpec& spec);

// `spec` is the model's. The file is replaced as a whole. A collective call of ranks that share the
// examples. Throws UsageError for a kind that none of the layers can have, and as
// run_statistics_pass() and reading and writing models do.
StatisticsOutcome take_statistics(const StatisticsRequest& request, const ModelSpec& spec,
                                  Backend& backend, const Group& data);

}  // namespace ty
