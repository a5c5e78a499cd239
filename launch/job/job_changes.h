// Continuing a run with a changed job: which keys differ, and which of them may not change unless
// the user allows it.
//
// Keys that determine the numbers of a run (model, tokenizer, data, batch, seed, optimizer) are
// fixed once it has begun; the others only say how it runs and may change. So may the learning rate
// and what follows it, optim.freeze, optim.train and optim.rules: layers may be thawed step by step
// (Howard and Ruder, arXiv 1801.06146). What is trained anew begins with moments of zero, and what
// is frozen loses its own. Files are compared by content (job_inputs.h), and linear layers by what
// the rules resolve to, not by how they are written.
#pragma once

#include <string>
#include <vector>

#include "launch/job/job_config.h"

namespace ty {

struct JobChange {
  std::string key;
  std::string before, after;  // as YAML spells them; "none" where the key is inactive
  bool is_fixed = false;
};

// The keys whose values differ, in the order of the field lists.
std::vector<JobChange> changes_between(const JobConfig& before, const JobConfig& after);

// The same of one linear layer's resolved specs: what weights of one mean to the other. How factors
// start and what is dropped in training may differ; of another kind only that is said.
std::vector<JobChange> changes_between(const LinearSpec& before, const LinearSpec& after);

// The same of a phase that has cut its model: all but the steps that follow, which may grow.
std::vector<JobChange> changes_between(const StrategyPhase& before, const StrategyPhase& after);

// "optim.lr 0.01 -> 0.001, run.steps 20 -> 40".
std::string to_text(const std::vector<JobChange>& changes);

}  // namespace ty
