// Section `optim` of the job file: the optimizer and its hyperparameters.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/fields.h"

namespace ty {

enum class OptimizerKind : std::uint8_t { adamw, sgd };

struct OptimSection {
  OptimizerKind name = OptimizerKind::adamw;
  double lr = 1e-3;
  double weight_decay = 0.0;
  std::vector<std::string> no_decay{"*.bias", "*norm*"};  // parameter names, by pattern
  double clip = 0.0;                                      // limit of the gradient norm; 0: none
  std::vector<double> betas{0.9, 0.95};                   // adamw
  double eps = 1e-8;                                      // adamw
  double momentum = 0.0;                                  // sgd
};

void fields(config::Fields& f, OptimSection& s);

}  // namespace ty
