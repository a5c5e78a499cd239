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

// fn of fp64 inputs, its output weighted by fixed random numbers into a scalar, is differentiated
// both ways for every element of every input. Returns "" or a line that names the worst element:
// input, index, both values.
std::string check_gradients(const std::function<Tensor(std::span<const Tensor>)>& fn,
                            const std::vector<Tensor>& inputs, GradCheck options = {});

}  // namespace ty
