#include "models/linear/scaled/scaled.h"

#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/shape.h"
#include "models/linear/base/pass.h"

namespace ty {

namespace {

const Parameter& declare_scale(const Scope& scope, const LinearShape& shape, Split split,
                               const Sharing& sharing) {
  const Init one = Init::constant(1.0);
  if (split != Split::in) return scope.parameter("scale", {shape.in}, one);
  return scope.parameter("scale", {own_count(shape.in, sharing)}, one,
                         placed_part(0, shape.in, sharing));
}

class ScaledLayer final : public Linear {
 public:
  ScaledLayer(const Scope& scope, const LinearShape& shape, const ScaledSpec& spec, Split split,
              const Sharing& sharing)
      : scale_(declare_scale(scope, shape, split, sharing)),
        of_(ty::make_linear(scope, shape, spec.of, split, sharing)) {}

  Tensor apply(const Tensor& x) const override { return forward_in(x, {}); }
  Tensor forward_in(const Tensor& x, const LinearPass& pass) const override {
    return of_->forward_in(mul(x, scale_.value), pass);
  }
  Tensor dense_weight() const override {
    const NoGrad no_grad;
    const Tensor weight = of_->dense_weight();
    return mul(weight, reshape(scale_.value, {weight.dim(0), 1}));
  }
  void begin_step() override { of_->begin_step(); }
  void end_step() override { of_->end_step(); }

 private:
  const Parameter& scale_;
  std::unique_ptr<Linear> of_;
};

}  // namespace

void fields(config::Fields& f, ScaledSpec& spec) {
  f.field("of", spec.of, "what reads the scaled inputs", config::required());
}

std::optional<SpecFault> fault_of(const ScaledSpec& spec) {
  if (spec.of.as<ScaledSpec>() != nullptr) return SpecFault{"of", "has a scale of its own"};
  return fault_of_inner(spec.of);
}

ScaledSpec resolved(const ScaledSpec& spec, const LinearShape& shape) {
  return {resolved(spec.of, shape)};
}

std::string describe(const ScaledSpec& spec) { return fmt::format("scaled {}", describe(spec.of)); }

std::int64_t num_weights(const ScaledSpec& spec, const LinearShape& shape) {
  return num_weights(spec.of, shape) + shape.in;
}

bool is_one_matrix(const ScaledSpec& spec) { return is_one_matrix(spec.of); }

double forward_flops(const ScaledSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  return forward_flops(spec.of, shape, tokens) +
         static_cast<double>(shape.in) * static_cast<double>(tokens);
}

Execution execution_of(const ScaledSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  return execution_of(spec.of, shape, tokens);
}

std::string obstacle_to(const ScaledSpec&, const LinearShape&, Split, int) { return ""; }

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const ScaledSpec& spec, Split split, const Sharing& sharing) {
  if (sharing.has_own_columns()) {
    throw ConfigError("{}: scaled layers are not shared where another layer is hidden",
                      scope.path());
  }
  // Canonical sums are those of a whole layer: what ranks share then, they hold whole.
  if (sharing.is_canonical()) {
    return std::make_unique<ScaledLayer>(scope, shape, spec, Split::none, Sharing());
  }
  Sharing of_inner = sharing;
  of_inner.layout = LinearLayout::automatic;
  return std::make_unique<ScaledLayer>(scope, shape, spec, split, of_inner);
}

}  // namespace ty
