// How much of a model is trained, by what says so: a rule of `adapters`, a pattern of optim.train
// or optim.freeze, or none of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launch/job/job_config.h"
#include "models/linear/rules.h"

namespace ty {

struct TrainedShare {
  std::string rule;          // "adapters[0] blocks.*.attn.qkv"
  std::int64_t trained = 0;  // numbers that are trained
  std::int64_t all = 0;      // with those that are not
};

// Every number of the model counts in one of them: of an adapted layer at the rule of its adapter,
// else at the first pattern that decides. `whole` declares all its parameters, of layers `sites`.
std::vector<TrainedShare> trained_shares(const JobConfig& job, const ParameterStore& whole,
                                         const std::vector<LinearSite>& sites);

}  // namespace ty
