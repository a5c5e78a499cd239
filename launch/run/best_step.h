// The best evaluation of a run so far: by which number evaluations are compared, which step had the
// best one, and when it is time to give up on a better one.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "launch/job/job_config.h"
#include "launch/run/evaluation.h"

namespace ty {

// A number of an evaluation by which steps can be compared.
struct StopMetric {
  std::string_view name;  // in the job file, and in metrics.jsonl
  bool higher_is_better = false;
  double (*value)(const Evaluation&);
};
std::span<const StopMetric> metrics();
// Throws ConfigError, at run.early_stop.metric, for a name that is not among them.
const StopMetric& metric_named(std::string_view name);

// What a run knows after its evaluations; a part of its checkpoints, so that it goes on counting.
struct BestStep {
  std::string metric;
  double value = 0.0;
  std::int64_t step = -1;  // -1: nothing was evaluated yet
  std::int64_t since = 0;  // evaluations after it, none of which was better

  friend bool operator==(const BestStep&, const BestStep&) = default;
};

// Takes in an evaluation after `step`; returns whether it is the best one so far. Of equal ones the
// first is. What was found by another metric is forgotten.
bool take_in(BestStep& best, const StopMetric& metric, double value, std::int64_t step);

// Whether evaluations of a job are compared at all.
bool compares_steps(const JobConfig& job);
// Whether so many evaluations have not been better that a job ends.
bool stops_early(const JobConfig& job, const BestStep& best);
// "valid_loss was 1.2345 at step 40 and has not been better in 3 evaluations".
std::string describe(const BestStep& best);

// In the manifest of a checkpoint. Reading gives nothing evaluated where there is none, and throws
// DataError, which begins with `place`, for what cannot be.
nlohmann::json to_json(const BestStep& best);
BestStep best_step_of(const nlohmann::json& fields, const std::string& place);

}  // namespace ty
