// What a job's section `optim` says of single parameters: which are trained, with which learning
// rate and weight decay.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/nn/parameter.h"
#include "launch/job/optim_section.h"
#include "models/transformer/freezing.h"
#include "optim/optimizer.h"

namespace ty {

// Which parameters are trained.
TrainingRules training_rules(const OptimSection& optim);

// A parameter's options: of optim.rules, of each key, the last that matches and states it; without
// one optim.lr, times the parameter's own rate if optim.factor_rates says so, and
// optim.weight_decay, of a factor optim.product_decay if that is stated, unless optim.no_decay
// matches; and of a factor what optim.factor_norm_cap and optim.factor_steps say.
UpdateOptions update_options(const OptimSection& optim, const Parameter& parameter);

// Throws ConfigError for a pattern of the section that matches none of the model's parameters, and
// if optim.freeze leaves none to train.
void check_patterns(const OptimSection& optim, const ParameterStore& whole);

// Parameters that are updated alike.
struct UpdateGroup {
  std::string first;            // the name of one of them
  std::int64_t parameters = 0;  // how many there are
  std::int64_t numbers = 0;     // in them
  bool is_frozen = false;
  bool is_sum = false;  // of gradients (Init::is_sum)
  double lr = 0.0;      // at its peak
  double weight_decay = 0.0;
  double product_decay = 0.0;
  double max_rms = 0.0;     // of the elements of each; 0: any
  bool is_bounded = false;  // lr bounds the step of the product
};
// In the order of their first parameter, what is frozen last.
std::vector<UpdateGroup> update_groups(const OptimSection& optim, const ParameterStore& whole);

}  // namespace ty
