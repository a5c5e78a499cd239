// Section `strategy` of the job file: a trained model is made smaller in phases, each of which cuts
// linear layers and then tunes the model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/fields.h"
#include "models/compress/compression.h"

namespace ty {

struct StrategyPhase {
  std::vector<std::string> match;  // layers, by pattern
  std::string method;              // of trainyard compress
  // One of them:
  std::int64_t rank = 0;  // of every bond
  double keep = 0;        // share of each layer's weights, or of all layers' together
  double error = 0;       // |W - W~| / |W|
  Allocation allocate = Allocation::even;
  std::int64_t examples = 1024;  // of the training data, for methods that weigh errors; 0: all
  std::int64_t steps = 0;        // of tuning
};

void fields(config::Fields& f, StrategyPhase& phase);
void check(const StrategyPhase& phase, config::Checks& checks);

// The method that a phase names, and what it is asked for.
const Method& method_of(const StrategyPhase& phase);
DecompositionRequest request_of(const StrategyPhase& phase);
// "phase 2 of 3: svd, keep 0.25 of blocks.*.mlp.*, then 500 steps"
std::string describe(const std::vector<StrategyPhase>& strategy, std::size_t phase);

}  // namespace ty
