#include "models/linear/dense/dense.h"

#include "core/ops/bias.h"
#include "core/ops/matmul.h"
#include "models/linear/base/bias.h"
#include "models/linear/base/factors.h"

namespace ty {

namespace {

class DenseLinear final : public Linear {
 public:
  DenseLinear(const Scope& scope, const LinearShape& shape)
      : weight_(scope.parameter("weight", {shape.in, shape.out}, Init::normal(shape.weight_std))),
        bias_(declare_bias(scope, shape)) {}
  Tensor apply(const Tensor& x) const override { return linear(x, weight_.value, value_of(bias_)); }
  Tensor dense_weight() const override { return weight_.value.detach(); }

 private:
  const Parameter& weight_;
  const Parameter* bias_;
};

// Own columns of the weight: each rank makes its part of the result.
class DenseOut final : public Linear {
 public:
  DenseOut(const Scope& scope, const LinearShape& shape, const Sharing& sharing)
      : sharing_(sharing),
        weight_(scope.parameter("weight", {shape.in, own_count(shape.out, sharing)},
                                Init::normal(shape.weight_std),
                                placed_part(1, shape.out, sharing))),
        bias_(declare_bias_part(scope, shape, sharing)) {}
  Tensor enter(const Tensor& x) const override { return ty::enter(x, sharing_); }
  Tensor apply(const Tensor& x) const override { return linear(x, weight_.value, value_of(bias_)); }
  Tensor dense_weight() const override { return weight_.value.detach(); }

 private:
  Sharing sharing_;
  const Parameter& weight_;
  const Parameter* bias_;
};

// Own rows of the weight: each rank makes a term of the result.
class DenseIn final : public Linear {
 public:
  DenseIn(const Scope& scope, const LinearShape& shape, const Sharing& sharing)
      : sharing_(sharing),
        weight_(scope.parameter("weight", {own_count(shape.in, sharing), shape.out},
                                Init::normal(shape.weight_std), placed_part(0, shape.in, sharing))),
        bias_(declare_bias(scope, shape)) {}
  Tensor apply(const Tensor& x) const override {
    return biased(
        leave(linear(x, weight_.value, Tensor(), WeightLayout::in_out, InReplay::unread), sharing_),
        value_of(bias_));
  }
  Tensor dense_weight() const override { return weight_.value.detach(); }

 private:
  Sharing sharing_;
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

std::string obstacle_to(const DenseSpec&, const LinearShape&, Split, int) { return ""; }

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape, const DenseSpec&,
                                    Split split, const Sharing& sharing) {
  if (sharing.ranks() == 1 || split == Split::none) {
    return std::make_unique<DenseLinear>(scope, shape);
  }
  if (split == Split::out) return std::make_unique<DenseOut>(scope, shape, sharing);
  return std::make_unique<DenseIn>(scope, shape, sharing);
}

}  // namespace ty
