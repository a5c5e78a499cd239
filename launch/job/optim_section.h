// Section `optim` of the job file: the optimizer and its hyperparameters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/fields.h"

namespace ty {

// A learning rate and a weight decay of parameters whose names match.
struct OptimRule {
  std::string match;
  std::optional<double> lr, weight_decay;  // null: as without this rule
};

enum class OptimizerKind : std::uint8_t { adamw, sgd };

// How the learning rates of a layer's factors relate to that of a dense weight. shape: by
// factor_rate() (models/linear/base/factor_init.h).
enum class FactorRates : std::uint8_t { equal, shape };

// What a learning rate bounds. free: nothing; bounded: the spectral norm of the step of two
// factors' product (optim/bounded_steps.h).
enum class FactorSteps : std::uint8_t { free, bounded };

struct OptimSection {
  OptimizerKind name = OptimizerKind::adamw;
  double lr = 1e-3;
  double weight_decay = 0.0;
  std::vector<std::string> no_decay{"*.bias", "*norm*"};  // parameter names, by pattern
  std::vector<std::string> freeze;                        // not trained, by pattern
  std::vector<std::string> train;                         // trained whatever else is said
  std::vector<OptimRule> rules;                           // of each key, the last that states it
  FactorRates factor_rates = FactorRates::equal;
  FactorSteps factor_steps = FactorSteps::free;
  std::optional<double> product_decay;    // of factors, in place of weight_decay
  std::optional<double> factor_norm_cap;  // of each factor, in units of Init::rms
  double clip = 0.0;                      // limit of the gradient norm; 0: none
  std::vector<double> betas{0.9, 0.95};   // adamw
  double eps = 1e-8;                      // adamw
  double momentum = 0.0;                  // sgd
};

void fields(config::Fields& f, OptimRule& rule);
void check(const OptimRule& rule, config::Checks& checks);
void fields(config::Fields& f, OptimSection& s);

}  // namespace ty
