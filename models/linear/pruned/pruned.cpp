#include "models/linear/pruned/pruned.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/ops/matmul.h"
#include "core/ops/select.h"
#include "models/linear/base/bias.h"
#include "models/linear/base/drawn_weight.h"
#include "models/linear/base/pass.h"
#include "models/linear/dense/dense.h"

namespace ty {

namespace {

// Scores of the weight that the layer is drawn with.
Init init_of_scores(const Scope& scope, const LinearShape& shape) {
  LinearShape no_bias = shape;
  no_bias.bias = false;
  Init init = Init::computed([path = scope.path(), no_bias](std::uint64_t seed) {
    return first_scores(drawn_weight(path, no_bias, DenseSpec{}, seed).data);
  });
  init.is_sum = true;
  return init;
}

class PrunedLayer final : public Linear {
 public:
  PrunedLayer(const Scope& scope, const LinearShape& shape, const PrunedSpec& spec)
      : spec_(spec),
        weight_(scope.parameter("weight", {shape.in, shape.out}, Init::normal(shape.weight_std))),
        scores_(scope.parameter("scores", {shape.in, shape.out}, init_of_scores(scope, shape))),
        bias_(declare_bias(scope, shape)) {}

  Tensor apply(const Tensor& x) const override { return product(x, spec_.keep); }
  Tensor forward_in(const Tensor& x, const LinearPass& pass) const override {
    return product(x, pass.training ? kept_share(spec_, pass.step) : spec_.keep);
  }
  Tensor dense_weight() const override {
    const NoGrad no_grad;
    return masked(spec_.keep);
  }

 private:
  Tensor masked(double share) const {
    if (scores_.value.dtype() == DType::f16) {
      throw ConfigError("pruned layers want bf16 or fp32: fp16 has no numbers as small as scores");
    }
    const std::int64_t kept =
        kept_entries(share, {.in = weight_.value.dim(0), .out = weight_.value.dim(1)});
    const bool is_trained = weight_.value.requires_grad() || scores_.value.requires_grad();
    if (is_trained) return keep_largest(weight_.value, scores_.value, kept);
    if (kept != kept_) {
      masked_ = Tensor();  // not two at once
      masked_ = keep_largest(weight_.value, scores_.value, kept);
      kept_ = kept;
    }
    return masked_;
  }
  Tensor product(const Tensor& x, double share) const {
    return linear(x, masked(share), value_of(bias_));
  }

  PrunedSpec spec_;
  const Parameter& weight_;
  const Parameter& scores_;
  const Parameter* bias_;
  // Of what is not trained, so that it is masked once.
  mutable Tensor masked_;
  mutable std::int64_t kept_ = -1;
};

}  // namespace

void fields(config::Fields& f, PrunedSpec& spec) {
  f.field("keep", spec.keep, "share of the weights that remain, 25% or 0.25",
          config::between(0, 1).percent().required());
  f.field("begin", spec.begin, "step of training from which on fewer are kept",
          config::at_least(0));
  f.field("end", spec.end, "step from which on so few are; 0: from the start", config::at_least(0));
}

std::optional<SpecFault> fault_of(const PrunedSpec& spec) {
  if (!(spec.keep > 0 && spec.keep <= 1)) {
    return SpecFault{
        "keep",
        fmt::format("{} is no share of the weights; want above 0 and at most 1", spec.keep)};
  }
  if (spec.begin > spec.end) {
    return SpecFault{"begin",
                     fmt::format("{} comes after end = {}; want it before", spec.begin, spec.end)};
  }
  return std::nullopt;
}

PrunedSpec resolved(const PrunedSpec& spec, const LinearShape& shape) {
  if (kept_entries(spec.keep, shape) >= 1) return spec;
  const std::int64_t all = shape.in * shape.out;
  throw ConfigError("pruned: keep = {} of {} weights is none; want {:.2g} or more", spec.keep, all,
                    1 / static_cast<double>(all));
}

std::string describe(const PrunedSpec& spec) {
  return fmt::format("pruned to {:.4g} %", 100 * spec.keep);
}

std::int64_t num_weights(const PrunedSpec&, const LinearShape& shape) {
  return 2 * shape.in * shape.out;
}

double forward_flops(const PrunedSpec&, const LinearShape& shape, std::int64_t tokens) {
  return flops_of_weights(shape.in * shape.out, tokens);
}

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const PrunedSpec& spec, Split, const Sharing&) {
  return std::make_unique<PrunedLayer>(scope, shape, spec);
}

std::int64_t kept_entries(double share, const LinearShape& shape) {
  return std::llround(share * static_cast<double>(shape.in * shape.out));
}

double kept_share(const PrunedSpec& spec, std::int64_t step) {
  if (step >= spec.end) return spec.keep;
  if (step <= spec.begin) return 1.0;
  const double left =
      static_cast<double>(spec.end - step) / static_cast<double>(spec.end - spec.begin);
  return spec.keep + (1.0 - spec.keep) * left * left * left;
}

std::vector<double> first_scores(const std::vector<double>& weight) {
  constexpr double kTiny = 1e-12;
  std::vector<double> scores(weight.size());
  std::transform(weight.begin(), weight.end(), scores.begin(),
                 [](double w) { return kTiny * std::abs(w); });
  return scores;
}

}  // namespace ty
