#include "models/linear/lax/lax.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/matmul.h"
#include "models/linear/base/bias.h"
#include "models/linear/base/pass.h"

namespace ty {

namespace {

class LaxLayer final : public Linear {
 public:
  LaxLayer(const Scope& scope, const LinearShape& shape, const SvdSpec& spec)
      : LaxLayer(scope, shape, spec, svd_inits(shape, spec, scope.path())) {}

  Tensor apply(const Tensor& x) const override { return forward_in(x, {}); }
  Tensor forward_in(const Tensor& x, const LinearPass& pass) const override {
    const Tensor own = linear(x, a_.value, Tensor());
    const Tensor z = pass.latents == nullptr ? own : crossed(own, *pass.latents);
    return linear(activation_ ? activation(*activation_, z) : z, b_.value, value_of(bias_));
  }
  Tensor dense_weight() const override {
    throw ConfigError("a lax layer reads another block too: no matrix stands for it");
  }

 private:
  LaxLayer(const Scope& scope, const LinearShape& shape, const SvdSpec& spec, const SvdInits& inits)
      : name_(path_in_block(scope.path())),
        activation_(spec.activation),
        a_(scope.parameter("a", {shape.in, spec.rank}, inits.a)),
        b_(scope.parameter("b", {spec.rank, shape.out}, inits.b)),
        gate_(scope.parameter("gate", {spec.rank}, Init::constant(1.0))),
        bias_(declare_bias(scope, shape)) {}
  Tensor crossed(const Tensor& own, Latents& latents) const {
    latents.made[name_] = own;
    const auto before = latents.before.find(name_);
    if (before == latents.before.end()) return own;
    return add(own, mul(before->second, gate_.value));
  }

  std::string name_;
  std::optional<UnaryOp> activation_;
  const Parameter& a_;
  const Parameter& b_;
  const Parameter& gate_;
  const Parameter* bias_;
};

}  // namespace

void fields(config::Fields& f, LaxSpec& spec) { fields(f, spec.svd); }

std::optional<SpecFault> fault_of(const LaxSpec& spec) { return fault_of(spec.svd); }

LaxSpec resolved(const LaxSpec& spec, const LinearShape& shape) {
  const std::int64_t most = std::min(shape.in, shape.out);
  const std::int64_t of_rank = shape.in + shape.out + 1;  // weights of one rank
  LaxSpec result = spec;
  if (spec.svd.keep > 0) {
    check_budget(spec.svd.keep, shape, of_rank, "lax rank 1");
    result.svd.rank = std::min(weights_in_share(spec.svd.keep, shape) / of_rank, most);
    result.svd.keep = 0;
  }
  if (result.svd.rank >= 1 && result.svd.rank <= most) return result;
  throw ConfigError("lax: rank {} of a [{}, {}] matrix; want 1 to {}", result.svd.rank, shape.in,
                    shape.out, most);
}

std::string describe(const LaxSpec& spec) {
  return fmt::format("lax{}", describe(spec.svd).substr(SvdSpec::kKind.size()));
}

std::int64_t num_weights(const LaxSpec& spec, const LinearShape& shape) {
  return num_weights(spec.svd, shape) + spec.svd.rank;
}

double forward_flops(const LaxSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  return forward_flops(spec.svd, shape, tokens) +
         2.0 * static_cast<double>(spec.svd.rank) * static_cast<double>(tokens);
}

bool is_one_matrix(const LaxSpec&) { return false; }

std::int64_t latent_width(const LaxSpec& spec) { return spec.svd.rank; }

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const LaxSpec& spec, Split, const Sharing&) {
  return std::make_unique<LaxLayer>(scope, shape, spec.svd);
}

}  // namespace ty
