#include "models/linear/dense/dense.h"

#include "core/ops/matmul.h"
#include "models/linear/base/factors.h"

namespace ty {

namespace {

class DenseLinear final : public Linear {
 public:
  DenseLinear(const Scope& scope, const LinearShape& shape)
      : weight_(scope.parameter("weight", {shape.in, shape.out}, Init::normal(shape.weight_std))),
        bias_(shape.bias ? &scope.parameter("bias", {shape.out}, Init::constant(0.0)) : nullptr) {}
  Tensor forward(const Tensor& x) const override {
    return linear(x, weight_.value, bias_ != nullptr ? bias_->value : Tensor());
  }
  Tensor dense_weight() const override { return weight_.value.detach(); }

 private:
  const Parameter& weight_;
  const Parameter* bias_;
};

}  // namespace

void fields(config::Fields&, DenseSpec&) {}
std::optional<SpecFault> fault_of(const DenseSpec&) { return std::nullopt; }
DenseSpec resolved(const DenseSpec& spec, const LinearShape&) { return spec; }
std::string describe(const DenseSpec&) { return "dense"; }

std::int64_t num_weights(const DenseSpec&, const LinearShape& shape) {
  return shape.in * shape.out;
}

double forward_flops(const DenseSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  return flops_of_weights(num_weights(spec, shape), tokens);
}

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const DenseSpec& spec, Split, const Sharing& sharing) {
  require_unshared(spec.kKind, sharing);
  return std::make_unique<DenseLinear>(scope, shape);
}

}  // namespace ty
