#include "models/linear/guided/guided.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/error.h"
#include "core/ops/bias.h"
#include "core/ops/elementwise.h"
#include "core/ops/shape.h"
#include "models/linear/base/bias.h"
#include "models/linear/base/drawn_weight.h"
#include "models/linear/base/pass.h"
#include "models/linear/dense/dense.h"
#include "models/linear/lora/lora.h"
#include "models/linear/pruned/pruned.h"

namespace ty {

namespace {

class GuidedLayer final : public Linear {
 public:
  GuidedLayer(const Scope& scope, const LinearShape& shape, const GuidedSpec& spec, Split split,
              const Sharing& sharing)
      : spec_(spec), site_(site_id(scope.path() + ".guide")) {
    if (sharing.has_own_columns()) {
      throw ConfigError("{}: guided layers are not shared where another layer is hidden",
                        scope.path());
    }
    Sharing of_each = sharing;
    of_each.layout = LinearLayout::automatic;
    LinearShape no_bias = shape;
    no_bias.bias = false;
    own_ = ty::make_linear(scope, no_bias, spec.of, split, of_each);
    const Split divided = sharing.is_divided() ? split : Split::none;
    bias_ = divided == Split::out  ? declare_bias_part(scope, shape, sharing)
            : divided == Split::in ? declare_bias_outside(scope, shape, sharing)
                                   : declare_bias(scope, shape);
    const Scope at = scope.child("guide");
    guide_ = ty::make_linear(at, no_bias, DenseSpec{}, split, of_each);
    at.store().find(at.path() + ".weight")->init =
        Init::computed([path = scope.path(), no_bias, of = spec.of](std::uint64_t seed) {
          return drawn_weight(path, no_bias, of, seed).data;
        });
  }

  Tensor apply(const Tensor& x) const override { return forward_in(x, {}); }
  Tensor forward_in(const Tensor& x, const LinearPass& pass) const override {
    return biased(product(x, pass), value_of(bias_));
  }
  Tensor dense_weight() const override { return own_->dense_weight(); }
  void begin_step() override { own_->begin_step(); }
  void end_step() override { own_->end_step(); }

 private:
  Tensor product(const Tensor& x, const LinearPass& pass) const {
    const double share = pass.training ? guide_share(spec_, pass.step) : 0.0;
    if (share > 0.0 && spec_.mix == GuideMix::draw) return drawn(x, pass, share);
    const Tensor y = own_->forward_in(x, pass);
    if (share == 0.0) return y;
    return add(scale(guide_->forward_in(x, pass), share), scale(y, 1.0 - share));
  }
  // Copies of an example lie side by side: the rows of each take a way of their own.
  Tensor drawn(const Tensor& x, const LinearPass& pass, double share) const {
    const auto by_draw = [&](std::uint64_t copy, const Tensor& rows) {
      return (is_guide_drawn(share, copy, pass) ? guide_ : own_)->forward_in(rows, pass);
    };
    if (pass.copies == 1) return by_draw(0, x);
    TY_CHECK(x.dim(0) == pass.sequences, "copies of examples want whole sequences");
    return interleave(by_draw(0, every_second(x, 0)), by_draw(1, every_second(x, 1)));
  }
  // The same on every rank and for every micro-batch of a step.
  bool is_guide_drawn(double chance, std::uint64_t copy, const LinearPass& pass) const {
    const RandomStream stream(pass.seed, site_, static_cast<std::uint64_t>(pass.step));
    return uniform_open(stream.word(copy, 0)) < chance;
  }

  GuidedSpec spec_;
  std::uint64_t site_;
  std::unique_ptr<Linear> own_, guide_;
  const Parameter* bias_ = nullptr;
};

}  // namespace

void fields(config::Fields& f, GuidedSpec& spec) {
  f.field("steps", spec.steps, "of training, in which the dense guide fades out",
          config::at_least(1).required());
  f.field(
      "mix", spec.mix,
      "blend: a sum of both, along a cosine; draw: one of them in each step, the guide ever more "
      "rarely",
      {{"blend", GuideMix::blend}, {"draw", GuideMix::draw}});
  f.field("of", spec.of, "what is guided, and remains", config::required());
}

std::optional<SpecFault> fault_of(const GuidedSpec& spec) {
  if (spec.steps < 1) return SpecFault{"steps", fmt::format("{}; want 1 or more", spec.steps)};
  const bool is_of_factors =
      spec.of.as<DenseSpec>() == nullptr && spec.of.as<LoraSpec>() == nullptr &&
      spec.of.as<PrunedSpec>() == nullptr && spec.of.as<GuidedSpec>() == nullptr;
  if (!is_of_factors) {
    return SpecFault{"of", fmt::format("a {} layer has no use for a guide; want one of factors",
                                       kind_name(spec.of))};
  }
  if (!is_one_matrix(spec.of)) {
    return SpecFault{"of", fmt::format("{} is no one matrix that a dense guide could fade into",
                                       describe(spec.of))};
  }
  return fault_of_inner(spec.of);
}

GuidedSpec resolved(const GuidedSpec& spec, const LinearShape& shape) {
  return {spec.steps, resolved(spec.of, shape), spec.mix};
}

std::string describe(const GuidedSpec& spec) {
  return fmt::format("{} + dense guide {}for {} steps", describe(spec.of),
                     spec.mix == GuideMix::draw ? "by draw " : "", spec.steps);
}

std::int64_t num_weights(const GuidedSpec& spec, const LinearShape& shape) {
  return num_weights(spec.of, shape) + shape.in * shape.out;
}

double forward_flops(const GuidedSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  const double own = forward_flops(spec.of, shape, tokens);
  const double guide = flops_of_weights(shape.in * shape.out, tokens);
  return spec.mix == GuideMix::draw ? std::max(own, guide) : own + guide;
}

Execution execution_of(const GuidedSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  return execution_of(spec.of, shape, tokens);
}

std::string obstacle_to(const GuidedSpec&, const LinearShape&, Split, int) { return ""; }

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const GuidedSpec& spec, Split split, const Sharing& sharing) {
  return std::make_unique<GuidedLayer>(scope, shape, spec, split, sharing);
}

double guide_share(const GuidedSpec& spec, std::int64_t step) {
  if (step >= spec.steps) return 0.0;
  const double way = static_cast<double>(step) / static_cast<double>(spec.steps);
  if (spec.mix == GuideMix::draw) return 1.0 - way;
  return 0.5 * (1.0 + std::cos(std::numbers::pi * way));
}

}  // namespace ty
