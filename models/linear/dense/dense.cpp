#include "models/linear/dense/dense.h"

#include <utility>

#include "core/ops/bias.h"
#include "core/ops/matmul.h"
#include "models/linear/base/bias.h"
#include "models/linear/base/factors.h"

namespace ty {

namespace {

// This rank's part of a matrix and a bias; the whole of them if it shares them with nobody.
class DenseLayer : public Linear {
 public:
  DenseLayer(const Parameter& weight, const Parameter* bias, const Sharing& sharing,
             WeightShards shards = {})
      : weight_(weight), bias_(bias), sharing_(sharing), shards_(std::move(shards)) {}
  Tensor apply(const Tensor& x) const override {
    return linear(x, weight_.value, value_of(bias_), WeightLayout::in_out, InReplay::read, shards_);
  }
  Tensor dense_weight() const override { return weight_.value.detach(); }

 protected:
  const Parameter& weight_;
  const Parameter* bias_;
  Sharing sharing_;
  WeightShards shards_;
};

// Own columns of the weight: each rank makes its part of the result.
class DenseOut final : public DenseLayer {
 public:
  using DenseLayer::DenseLayer;
  Tensor enter(const Tensor& x) const override { return ty::enter(x, sharing_); }
};

// Own rows of the weight: each rank makes a term of the result.
class DenseIn final : public DenseLayer {
 public:
  using DenseLayer::DenseLayer;
  Tensor apply(const Tensor& x) const override {
    const Tensor term = linear(x, weight_.value, Tensor(), WeightLayout::in_out,
                               terms_in_replay(sharing_), shards_);
    return biased(leave(term, sharing_), value_of(bias_));
  }
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
  const Init init = Init::normal(shape.weight_std);
  if (!sharing.is_divided() || split == Split::none) {
    return std::make_unique<DenseLayer>(scope.parameter("weight", {shape.in, shape.out}, init),
                                        declare_bias(scope, shape), sharing);
  }
  if (split == Split::out) {
    const Parameter& columns = scope.parameter("weight", {shape.in, own_count(shape.out, sharing)},
                                               init, placed_part(1, shape.out, sharing));
    return std::make_unique<DenseOut>(columns, declare_bias_part(scope, shape, sharing), sharing,
                                      shards_of(shape, split, sharing));
  }
  const Parameter& rows = scope.parameter("weight", {own_count(shape.in, sharing), shape.out}, init,
                                          placed_part(0, shape.in, sharing));
  return std::make_unique<DenseIn>(rows, declare_bias_outside(scope, shape, sharing), sharing,
                                   shards_of(shape, split, sharing));
}

}  // namespace ty
