#include "core/autograd/gradcheck.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/autograd/backward.h"
#include "core/base/error.h"

namespace ty {

namespace {

// <y, weights>, on the host.
double dot(const Tensor& y, const std::vector<double>& weights) {
  const std::vector<double> values = y.values<double>();
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) sum += values[i] * weights[i];
  return sum;
}

}  // namespace

std::string check_gradients(const std::function<Tensor(std::span<const Tensor>)>& fn,
                            const std::vector<Tensor>& inputs, GradCheck options) {
  std::vector<Tensor> leaves;
  for (const Tensor& input : inputs) {
    TY_CHECK(input.dtype() == DType::f64, "gradient checks want fp64, got {}",
             name_of(input.dtype()));
    leaves.push_back(make_leaf(input));
  }
  const Tensor y = fn(leaves);
  if (!y.requires_grad()) return "the output does not depend on any input";
  const RandomStream stream(0, site_id("gradcheck"));
  std::vector<double> weights(static_cast<std::size_t>(y.numel()));
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = normal(stream, 0, i);
  backward(y, Tensor::from<double>(y.backend(), y.shape(), weights));

  double worst = 0;
  std::string report;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor grad = grad_of(leaves[i]);
    if (!grad.defined()) return fmt::format("input {} has no gradient", i);
    const std::vector<double> analytic = grad.values<double>();
    const std::vector<double> x = inputs[i].values<double>();
    std::vector<Tensor> moved(inputs.begin(), inputs.end());
    const auto at = [&](std::size_t e, double value) {
      std::vector<double> changed = x;
      changed[e] = value;
      moved[i] = Tensor::from<double>(y.backend(), inputs[i].shape(), changed);
      NoGrad no_grad;
      return dot(fn(moved), weights);
    };
    for (std::size_t e = 0; e < x.size(); ++e) {
      const double h = options.step * std::max(1.0, std::abs(x[e]));
      const double numeric = (at(e, x[e] + h) - at(e, x[e] - h)) / (2 * h);
      const double scale = std::max({1.0, std::abs(numeric), std::abs(analytic[e])});
      const double error = std::abs(numeric - analytic[e]) / scale;
      if (!(error <= options.tolerance) && !(error <= worst)) {
        worst = error;
        report =
            fmt::format("input {} element {}: analytic {:.10g}, numeric {:.10g} (error {:.2g})", i,
                        e, analytic[e], numeric, error);
      }
    }
  }
  return report;
}

}  // namespace ty
