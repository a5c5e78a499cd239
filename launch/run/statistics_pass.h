// The pass over data that fills a model's statistics: data ranks share the batches, each runs
// forward and backward of its own, and nothing is trained.
//
// Batches are dealt out in lanes, ranges of consecutive batches: a lane's are added up in order,
// and lanes in a fixed tree. With canonical reduction there are kVirtualShards lanes whatever the
// number of ranks, which then does not change a bit of the result; otherwise a lane per rank.
//
//   8 batches, 4 lanes:   0 1 | 2 3 | 4 5 | 6 7     ((0 1) + (2 3)) + ((4 5) + (6 7))
//   on 2 ranks            rank 0    | rank 1
#pragma once

#include <functional>
#include <string>

#include "models/objective/objective.h"
#include "models/statistics/collector.h"
#include "models/transformer/model.h"

namespace ty {

struct StatisticsPassOptions {
  std::int64_t examples = 0;  // so many of the source's, evenly spread; 0: all
  std::int64_t batch = 8;     // examples at once
  Reduction reduction = Reduction::fast;
  // Called after each of this rank's batches.
  std::function<void(std::int64_t done, std::int64_t batches)> progress = {};
};

// The examples that a pass reads of so many.
std::int64_t examples_of_pass(std::int64_t all, const StatisticsPassOptions& options);
// The same in batches.
std::int64_t batches_of_pass(std::int64_t all, const StatisticsPassOptions& options);

// `model` was built with the collector as its observer; `name` of the source is for messages. Every
// rank gets the sums over all. A collective call. Throws NonFiniteError for a loss that is not
// finite, and ConfigError for a canonical reduction over ranks that cannot share the lanes.
StatisticsSums run_statistics_pass(const Model& model, const Objective& objective, Backend& backend,
                                   StatisticsCollector& collector, const Source& source,
                                   const std::string& name, const StatisticsPassOptions& options,
                                   const Group& data);

// The layers of a model that can be watched: those that see each example's rows exactly once, and
// whole. Not of them are token tables, nor the layers of a vocabulary's head, which is run a few
// rows at a time.
std::vector<LinearSite> layers_to_watch(const ModelSpec& spec, std::vector<LinearSite> all);

}  // namespace ty
