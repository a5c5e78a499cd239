#include "models/linear/svd/svd.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/ops/matmul.h"
#include "models/linear/base/factor_init.h"
#include "models/linear/svd/svd_factors.h"
#include "models/linear/svd/svd_function.h"

namespace ty {

namespace {

class SvdLinear final : public Linear {
 public:
  SvdLinear(const Scope& scope, const LinearShape& shape, const SvdSpec& spec,
            const SvdInits& inits)
      : a_(scope.parameter("a", {shape.in, spec.rank}, inits.a)),
        b_(scope.parameter("b", {spec.rank, shape.out}, inits.b)),
        bias_(shape.bias ? &scope.parameter("bias", {shape.out}, Init::constant(0.0)) : nullptr) {}
  Tensor forward(const Tensor& x) const override {
    return svd_linear(x, a_.value, b_.value, bias_ != nullptr ? bias_->value : Tensor());
  }
  Tensor dense_weight() const override {
    const NoGrad no_grad;
    return matmul(a_.value, b_.value);
  }

 private:
  const Parameter& a_;
  const Parameter& b_;
  const Parameter* bias_;
};

}  // namespace

void fields(config::Fields& f, SvdSpec& s) {
  f.field("rank", s.rank, "columns of the first factor; 0: by keep", config::between(0, kMostSize));
  keep_field(f, s.keep);
  init_field(f, s.init);
}

std::optional<SpecFault> fault_of(const SvdSpec& spec) {
  return fault_of_size({{"rank", spec.rank != 0, fmt::format("{}", spec.rank)},
                        {"keep", spec.keep != 0, fmt::format("{}", spec.keep)}},
                       spec.keep);
}

SvdSpec resolved(const SvdSpec& spec, const LinearShape& shape) {
  SvdSpec result = spec;
  const std::int64_t most = std::min(shape.in, shape.out);
  if (spec.keep > 0) {
    check_budget(spec.keep, shape, svd_parameters(shape.in, shape.out, 1), "svd rank 1");
    result.rank = std::min(weights_in_share(spec.keep, shape) / (shape.in + shape.out), most);
  }
  if (result.rank < 1 || result.rank > most) {
    throw ConfigError("svd: rank {} of a [{}, {}] matrix; want 1 to {}", result.rank, shape.in,
                      shape.out, most);
  }
  result.keep = 0;
  return result;
}

std::string describe(const SvdSpec& spec) { return fmt::format("svd rank {}", spec.rank); }

std::int64_t num_weights(const SvdSpec& spec, const LinearShape& shape) {
  return svd_parameters(shape.in, shape.out, spec.rank);
}

double forward_flops(const SvdSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  return flops_of_weights(num_weights(spec, shape), tokens);
}

SvdInits svd_inits(const LinearShape& shape, const SvdSpec& spec, const std::string& path) {
  const std::vector<Init> both =
      factor_inits({shape.in, shape.out}, {1, spec.rank, 1}, shape.weight_std, spec.init, path);
  return {both[0], both[1]};
}

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const SvdSpec& spec, Split, const Sharing& sharing) {
  require_unshared(spec.kKind, sharing);
  return std::make_unique<SvdLinear>(scope, shape, spec, svd_inits(shape, spec, scope.path()));
}

}  // namespace ty
