#include "models/linear/bottleneck/bottleneck.h"

#include <cmath>

#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/matmul.h"
#include "models/linear/base/pass.h"

namespace ty {

namespace {

std::int64_t adapter_weights(const BottleneckOptions& options, const LinearShape& shape) {
  return 2 * shape.out * options.width + options.width + shape.out;
}

// A matrix [in, out] and a bias, which lie where their scope's parameters do.
struct Affine {
  const Parameter* weight;
  const Parameter* bias;

  Affine(const Scope& scope, std::int64_t in, std::int64_t out, const Init& init)
      : weight(&scope.parameter("weight", {in, out}, init)),
        bias(&scope.parameter("bias", {out}, Init::constant(0.0))) {}
  Tensor operator()(const Tensor& x) const { return linear(x, weight->value, bias->value); }
};

class BottleneckLayer final : public Linear {
 public:
  BottleneckLayer(const Scope& scope, const LinearShape& shape, const BottleneckSpec& spec,
                  Split split, const Sharing& sharing)
      : activation_(spec.options.activation),
        base_(ty::make_linear(scope, shape, spec.of, split, sharing)),
        down_(scope.child("bottleneck.down"), shape.out, spec.options.width,
              Init::normal(1.0 / std::sqrt(static_cast<double>(shape.out)))),
        up_(scope.child("bottleneck.up"), spec.options.width, shape.out, Init::constant(0.0)) {}

  Tensor apply(const Tensor& x) const override { return forward_in(x, {}); }
  Tensor forward_in(const Tensor& x, const LinearPass& pass) const override {
    const Tensor h = base_->forward_in(x, pass);
    return add(h, up_(activation(activation_, down_(h))));
  }
  Tensor dense_weight() const override {
    throw ConfigError("a layer with a bottleneck adapter is not linear: no matrix stands for both");
  }
  void begin_step() override { base_->begin_step(); }
  void end_step() override { base_->end_step(); }

 private:
  UnaryOp activation_;
  std::unique_ptr<Linear> base_;
  Affine down_, up_;
};

}  // namespace

void fields(config::Fields& f, BottleneckOptions& options) {
  f.field("width", options.width, "of the narrow layer", config::between(1, kMostSize));
  f.field("activation", options.activation, "what it does to its numbers",
          {{"gelu", UnaryOp::gelu_erf}, {"relu", UnaryOp::relu}});
}

void fields(config::Fields& f, BottleneckSpec& spec) {
  fields(f, spec.options);
  f.field("of", spec.of, "what is adapted", config::required());
}

std::optional<SpecFault> fault_of(const BottleneckSpec& spec) {
  if (spec.options.width < 1) return SpecFault{"width", "is 0; want 1 or more"};
  if (spec.of.as<BottleneckSpec>() != nullptr) return SpecFault{"of", "has an adapter of its own"};
  return fault_of_inner(spec.of);
}

BottleneckSpec resolved(const BottleneckSpec& spec, const LinearShape& shape) {
  if (spec.options.width > shape.out) {
    throw ConfigError("bottleneck: width {} behind {} numbers; want 1 to {}", spec.options.width,
                      shape.out, shape.out);
  }
  return {spec.options, resolved(spec.of, shape)};
}

std::string describe(const BottleneckSpec& spec) {
  const bool is_usual = spec.options.activation == BottleneckOptions().activation;
  return fmt::format("{} + bottleneck of {}{}", describe(spec.of), spec.options.width,
                     is_usual ? "" : " with relu");
}

std::int64_t num_weights(const BottleneckSpec& spec, const LinearShape& shape) {
  return num_weights(spec.of, shape) + adapter_weights(spec.options, shape);
}

bool is_one_matrix(const BottleneckSpec&) { return false; }

double forward_flops(const BottleneckSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  return forward_flops(spec.of, shape, tokens) +
         flops_of_weights(2 * shape.out * spec.options.width, tokens);
}

Execution execution_of(const BottleneckSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  return execution_of(spec.of, shape, tokens);
}

std::string obstacle_to(const BottleneckSpec&, const LinearShape&, Split split, int) {
  return split == Split::out ? "bottleneck adapters read whole rows" : "";
}

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const BottleneckSpec& spec, Split split,
                                    const Sharing& sharing) {
  if (sharing.has_own_columns()) {
    throw ConfigError("{}: bottleneck layers are not shared where another layer is hidden",
                      scope.path());
  }
  // Canonical sums are those of a whole layer: what ranks share then, they hold whole.
  if (sharing.is_canonical()) {
    return std::make_unique<BottleneckLayer>(scope, shape, spec, Split::none, Sharing());
  }
  Sharing of_base = sharing;
  of_base.layout = LinearLayout::automatic;
  return std::make_unique<BottleneckLayer>(scope, shape, spec, split, of_base);
}

}  // namespace ty
