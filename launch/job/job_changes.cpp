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

}  // namespace

std::vector<JobChange> changes_between(const JobConfig& before, const JobConfig& after) {
  const Values old_values = config::values_of(before), new_values = config::values_of(after);
  std::vector<JobChange> changes;
  const auto compare = [&](const std::string& key) {
    if (matches_any(kNotCompared, key)) return;
    JobChange change = {key, value_in(old_values, key), value_in(new_values, key),
                        matches_any(kFixed, key)};
    if (change.before != change.after) changes.push_back(std::move(change));
  };
  for (const auto& [key, value] : new_values) compare(key);
  for (const auto& [key, value] : old_values) {
    if (value_in(new_values, key) == "none") compare(key);
  }
  return changes;
}

std::string to_text(const std::vector<JobChange>& changes) {
  std::vector<std::string> parts;
  for (const JobChange& change : changes) {
    parts.push_back(fmt::format("{} {} -> {}", change.key, change.before, change.after));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace ty
