#include "launch/run/model_statistics.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/stopwatch.h"
#include "launch/process/on_root.h"
#include "launch/run/job_inputs.h"
#include "models/huggingface/model_directory.h"
#include "models/huggingface/model_tensors.h"
#include "models/statistics/statistics_file.h"

namespace ty {

namespace {

std::string loss_name(const HeadSpec& head) {
  return head.kind == HeadSpec::Kind::values ? "squared error" : "cross entropy";
}

// Throws UsageError for a kind that none of the layers can have.
void check_kinds(const std::vector<LinearSite>& layers, StatisticKinds kinds) {
  for (const StatisticKind kind : kStatisticKinds) {
    const auto has = [&](const LinearSite& site) { return has_statistic(site, kind); };
    if (!kinds.has(kind) || std::any_of(layers.begin(), layers.end(), has)) continue;
    throw UsageError(
        "statistics: none of the layers can have {}; {} is {}{}", name_of(kind),
        layers.front().path, describe(layers.front().spec),
        kind == StatisticKind::lora
            ? ", and wants an adapter of kind lora, without dora or cores, beside what "
              "one matrix stands for"
            : "");
  }
}

}  // namespace

std::vector<LinearSite> layers_to_watch(const ModelSpec& spec) {
  const Model declared(describe_model(spec), LinearRules(spec.linear));
  return layers_to_watch(spec, declared.linear_sites());
}

StatisticsOutcome take_statistics(const StatisticsRequest& request, const ModelSpec& spec,
                                  Backend& backend, const Group& data) {
  check_kinds(request.layers, request.kinds);
  StatisticsCollector collector(backend, request.layers, request.kinds, request.fisher);
  const OpenedModel opened =
      declare_model(spec, backend, only_run(), 1, 1, {.observer = &collector});
  load_weights(request.model, *opened.parameters, opened.spec);
  const Stopwatch watch;
  const StatisticsSums sums =
      run_statistics_pass(*opened.model, *objective_of(spec.head), backend, collector,
                          request.source, request.data.string(), request.options, data);
  StatisticsOutcome outcome = {
      .origin = {.examples = examples_of_pass(request.source.examples(), request.options),
                 .fisher = request.fisher,
                 .batch = request.options.batch,
                 .loss = loss_name(spec.head),
                 .data = request.data.filename().string(),
                 .data_hash = content_hash_of(request.data),
                 .model_hash = content_hash_of(request.model)},
      .loss = sums.loss / std::max(sums.targets, 1.0),
      .seconds = watch.seconds(),
      .peak_bytes = backend.memory().stats().total_peak};
  const GiveStatistics give = [&](const std::string& path, StatisticKind kind) {
    return finished(sums, path, kind);
  };
  on_root_do(data, [&] {
    if (request.kinds.lora) {
      outcome.groups = group_scores(collector.layers(), spec.heads, [&](const std::string& path) {
        return give(path, StatisticKind::lora);
      });
    }
    outcome.bytes = write_statistics(request.target, collector.layers(), request.kinds,
                                     outcome.origin, give, outcome.groups);
  });
  return outcome;
}

}  // namespace ty
