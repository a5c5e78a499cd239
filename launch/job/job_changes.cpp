#include "launch/job/job_changes.h"

#include <algorithm>
#include <array>
#include <map>

#include "core/base/glob.h"
#include "core/config/print.h"

namespace ty {

namespace {

// What a run's numbers mean.
constexpr std::array kFixed = {"run.seed", "model.*",    "tokenizer.*", "data.*",
                               "task.*",   "optim.name", "adapters*"};
// Compared by content instead, or of no meaning to the run.
constexpr std::array kNotCompared = {"run.dir",    "run.name",   "run.allow_changes",
                                     "linear*",    "model.from", "tokenizer.from",
                                     "data.train", "data.valid"};
// Of a linear layer, and of a strategy's phase: of no meaning to what is there.
constexpr std::array kOfStartAndTraining = {"init", "*.init", "dropout", "*.dropout"};
constexpr std::array kOfTuning = {"steps"};

template <std::size_t N>
bool matches_any(const std::array<const char*, N>& patterns, const std::string& key) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const char* pattern) { return glob_match(pattern, key); });
}

using Values = std::vector<std::pair<std::string, std::string>>;

std::string value_in(const Values& values, const std::string& key) {
  const auto found =
      std::find_if(values.begin(), values.end(), [&](const auto& row) { return row.first == key; });
  return found == values.end() ? "none" : found->second;
}

// The keys of two structs of one type whose values differ, but for what matches `not_compared`.
template <std::size_t N>
std::vector<JobChange> differences(const Values& before, const Values& after,
                                   const std::array<const char*, N>& not_compared) {
  std::vector<JobChange> changes;
  const auto compare = [&](const std::string& key) {
    if (matches_any(not_compared, key)) return;
    JobChange change = {key, value_in(before, key), value_in(after, key), true};
    if (change.before != change.after) changes.push_back(std::move(change));
  };
  for (const auto& [key, value] : after) compare(key);
  for (const auto& [key, value] : before) {
    if (value_in(after, key) == "none") compare(key);
  }
  return changes;
}

}  // namespace

std::vector<JobChange> changes_between(const JobConfig& before, const JobConfig& after) {
  std::vector<JobChange> changes =
      differences(config::values_of(before), config::values_of(after), kNotCompared);
  for (JobChange& change : changes) change.is_fixed = matches_any(kFixed, change.key);
  return changes;
}

std::vector<JobChange> changes_between(const LinearSpec& before, const LinearSpec& after) {
  if (kind_name(before) != kind_name(after)) {
    return {{"kind", std::string(kind_name(before)), std::string(kind_name(after)), true}};
  }
  return differences(config::values_of(before), config::values_of(after), kOfStartAndTraining);
}

std::vector<JobChange> changes_between(const StrategyPhase& before, const StrategyPhase& after) {
  return differences(config::values_of(before), config::values_of(after), kOfTuning);
}

std::string to_text(const std::vector<JobChange>& changes) {
  std::vector<std::string> parts;
  for (const JobChange& change : changes) {
    parts.push_back(fmt::format("{} {} -> {}", change.key, change.before, change.after));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace ty
