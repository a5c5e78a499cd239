#include "launch/run/trained_parameters.h"

#include <algorithm>

#include "core/base/glob.h"
#include "launch/run/optim_rules.h"
#include "models/linear/adapters.h"

namespace ty {

namespace {

// The rule for each adapted layer, by the path with which its parameters begin.
using AdaptedLayers = std::vector<std::pair<std::string, std::string>>;

AdaptedLayers adapted_layers(const JobConfig& job, const std::vector<LinearSite>& sites) {
  AdaptedLayers layers;
  for (const LinearSite& site : sites) {
    if (adapted(site.spec) == nullptr) continue;
    const auto rule = adapter_rule_for(job.adapters, site.path);
    layers.emplace_back(site.path + ".",
                        rule ? fmt::format("adapters[{}] {}", *rule, job.adapters[*rule].match)
                             : "adapters of model.from");
  }
  return layers;
}

std::string first_match(const char* key, const std::vector<std::string>& patterns,
                        const std::string& name) {
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    if (glob_match(patterns[i], name)) return fmt::format("{}[{}] {}", key, i, patterns[i]);
  }
  return "";
}

std::string rule_for(const JobConfig& job, const AdaptedLayers& layers, const std::string& name) {
  const auto layer = std::find_if(layers.begin(), layers.end(),
                                  [&](const auto& each) { return name.starts_with(each.first); });
  if (layer != layers.end()) return layer->second;
  std::string rule = first_match("optim.train", job.optim.train, name);
  if (rule.empty()) rule = first_match("optim.freeze", job.optim.freeze, name);
  if (!rule.empty()) return rule;
  return !layers.empty() && is_of_task(name) ? "layers to labels" : "all else";
}

}  // namespace

std::vector<TrainedShare> trained_shares(const JobConfig& job, const ParameterStore& whole,
                                         const std::vector<LinearSite>& sites) {
  const TrainedParameters trained(training_rules(job.optim), whole);
  const AdaptedLayers layers = adapted_layers(job, sites);
  std::vector<TrainedShare> shares;
  for (const Parameter& parameter : whole.all()) {
    const std::string rule = rule_for(job, layers, parameter.name);
    auto share = std::find_if(shares.begin(), shares.end(),
                              [&](const TrainedShare& each) { return each.rule == rule; });
    if (share == shares.end()) share = shares.insert(share, TrainedShare{rule});
    const std::int64_t numbers = parameter.whole().numel();
    share->all += numbers;
    if (trained.contains(parameter.name)) share->trained += numbers;
  }
  std::stable_partition(shares.begin(), shares.end(),
                        [](const TrainedShare& each) { return each.trained > 0; });
  return shares;
}

}  // namespace ty
