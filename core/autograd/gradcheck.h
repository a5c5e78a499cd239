// Checks gradients against central finite differences in double precision.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/tensor/tensor.h"

namespace ty {

struct GradCheck {
  double step = 1e-5;       // of the difference, times max(1, |x|)
  double tolerance = 1e-6;  // on |analytic - numeric| / max(1, |numeric|, |analytic|)
};

// Reduces fn's output to a scalar with fixed random weights and differentiates that both ways, for
// every element of every fp64 input. Returns "" if all agree, or a line that names the worst
// element: input, index, both values.
std::string check_gradients(const std::function<Tensor(std::span<const Tensor>)>& fn,
                            const std::vector<Tensor>& inputs, GradCheck options = {});

}  // namespace ty
