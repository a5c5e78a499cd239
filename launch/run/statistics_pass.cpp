#include "launch/run/statistics_pass.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/even_parts.h"
#include "models/objective/chunked_loss.h"
#include "parallel/comm/tree.h"

namespace ty {

namespace {

std::int64_t lanes_of(const StatisticsPassOptions& options, int ranks) {
  if (options.reduction == Reduction::fast) return ranks;
  if (kVirtualShards % ranks == 0) return kVirtualShards;
  throw ConfigError(
      "statistics: canonical sums are divided over 1, 2 or {} ranks, got {}; use "
      "--reduction fast",
      kVirtualShards, ranks);
}

// Forward and backward of one batch.
class BatchPass {
 public:
  BatchPass(const Model& model, const Objective& objective, Backend& backend,
            StatisticsCollector& collector)
      : model_(model), objective_(objective), backend_(backend), collector_(collector) {}

  void run(const HostBatch& host, StatisticsSums& sums) {
    const ExampleRows rows = rows_of_examples(host);
    const Batch batch = upload(backend_, host, 0, host.sequences);
    collector_.begin(sums, rows);
    const Flow out = model_.forward({.batch = batch});
    sums.loss += backward_from_loss(model_, objective_, out, batch, 1.0).item();
    sums.targets += static_cast<double>(objective_.targets(host));
    collector_.end();
  }

 private:
  const Model& model_;
  const Objective& objective_;
  Backend& backend_;
  StatisticsCollector& collector_;
};

// Of two adjacent parts.
StatisticsSums joined(StatisticsSums earlier, StatisticsSums later) {
  earlier.add(later);
  return earlier;
}

}  // namespace

std::int64_t examples_of_pass(std::int64_t all, const StatisticsPassOptions& options) {
  return options.examples == 0 ? all : std::min(all, options.examples);
}

std::int64_t batches_of_pass(std::int64_t all, const StatisticsPassOptions& options) {
  return (examples_of_pass(all, options) + options.batch - 1) / options.batch;
}

StatisticsSums run_statistics_pass(const Model& model, const Objective& objective, Backend& backend,
                                   StatisticsCollector& collector, const Source& source,
                                   const std::string& name, const StatisticsPassOptions& options,
                                   const Group& data) {
  const std::int64_t all = source.examples(), wanted = examples_of_pass(all, options);
  const std::int64_t batches = batches_of_pass(all, options);
  const std::int64_t lanes = lanes_of(options, data.size());
  const Range own_lanes = even_part(lanes, data.rank(), data.size());
  const std::int64_t own_first = batches * own_lanes.first / lanes;
  const std::int64_t own_last = batches * (own_lanes.first + own_lanes.count) / lanes;

  BatchPass pass(model, objective, backend, collector);
  TreeSum<StatisticsSums> tree(own_lanes.count);
  std::int64_t done = 0;
  for (std::int64_t lane = own_lanes.first; lane < own_lanes.first + own_lanes.count; ++lane) {
    StatisticsSums sums = collector.zeros();
    const Range own = even_part(batches, lane, lanes);
    for (std::int64_t b = own.first; b < own.first + own.count; ++b) {
      std::vector<std::int64_t> examples;
      for (std::int64_t i = b * options.batch; i < std::min(wanted, (b + 1) * options.batch); ++i) {
        examples.push_back(i * all / wanted);
      }
      pass.run(source.batch(examples), sums);
      if (options.progress) options.progress(++done, own_last - own_first);
    }
    tree.put(lane - own_lanes.first, std::move(sums), joined);
  }
  StatisticsSums total = tree.take();
  total.add_over(data, options.reduction);
  if (!std::isfinite(total.loss)) {
    throw NonFiniteError("{}: the model's loss is {}", name, total.loss / total.targets);
  }
  return total;
}

std::vector<LinearSite> layers_to_watch(const ModelSpec& spec, std::vector<LinearSite> all) {
  std::erase_if(all, [&](const LinearSite& site) {
    return site.is_table() || (!spec.head.is_pooled() && site.path.starts_with("head."));
  });
  return all;
}

}  // namespace ty
