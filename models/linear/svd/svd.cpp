#include "models/linear/svd/svd.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/ops/bias.h"
#include "core/ops/matmul.h"
#include "models/linear/base/bias.h"
#include "models/linear/base/factor_init.h"
#include "models/linear/svd/svd_factors.h"
#include "models/linear/svd/svd_function.h"

namespace ty {

namespace {

Tensor product_of(const Parameter& a, const Parameter& b) {
  const NoGrad no_grad;
  return matmul(a.value, b.value);
}

class SvdLinear final : public Linear {
 public:
  SvdLinear(const Scope& scope, const LinearShape& shape, const SvdSpec& spec,
            const SvdInits& inits)
      : a_(scope.parameter("a", {shape.in, spec.rank}, inits.a)),
        b_(scope.parameter("b", {spec.rank, shape.out}, inits.b)),
        bias_(declare_bias(scope, shape)) {}
  Tensor apply(const Tensor& x) const override {
    return svd_linear(x, a_.value, b_.value, value_of(bias_));
  }
  Tensor dense_weight() const override { return product_of(a_, b_); }

 private:
  const Parameter& a_;
  const Parameter& b_;
  const Parameter* bias_;
};

// Shared by ranks, only the factor that lies inside is divided, and what crosses ranks has r
// numbers per token, not `in` or `out` (with own rows: layout B, without: layout A):
//
//   out:  x --- a ---> z --- enter ---> z of all rows --- own columns of b ---> own columns of y
//   in:   own columns of x --- own rows of a ---> a term of z --- leave ---> z --- b ---> y
class SvdOut final : public Linear {
 public:
  SvdOut(const Scope& scope, const LinearShape& shape, const SvdSpec& spec, const SvdInits& inits,
         const Sharing& sharing)
      : sharing_(sharing),
        a_(scope.parameter("a", {shape.in, spec.rank}, inits.a)),
        b_(scope.parameter("b", {spec.rank, own_count(shape.out, sharing)}, inits.b,
                           placed_part(1, shape.out, sharing))),
        bias_(declare_bias_part(scope, shape, sharing)) {}
  Tensor enter(const Tensor& x) const override {
    return ty::enter(linear(x, a_.value, Tensor()), sharing_);
  }
  Tensor apply(const Tensor& z) const override { return linear(z, b_.value, value_of(bias_)); }
  Tensor dense_weight() const override { return product_of(a_, b_); }

 private:
  Sharing sharing_;
  const Parameter& a_;
  const Parameter& b_;
  const Parameter* bias_;
};

class SvdIn final : public Linear {
 public:
  SvdIn(const Scope& scope, const LinearShape& shape, const SvdSpec& spec, const SvdInits& inits,
        const Sharing& sharing)
      : sharing_(sharing),
        a_(scope.parameter("a", {own_count(shape.in, sharing), spec.rank}, inits.a,
                           placed_part(0, shape.in, sharing))),
        b_(scope.parameter("b", {spec.rank, shape.out}, inits.b)),
        bias_(declare_bias(scope, shape)) {}
  Tensor apply(const Tensor& x) const override {
    const Tensor z =
        leave(linear(x, a_.value, Tensor(), WeightLayout::in_out, InReplay::unread), sharing_);
    return linear(z, b_.value, value_of(bias_));
  }
  Tensor dense_weight() const override { return product_of(a_, b_); }

 private:
  Sharing sharing_;
  const Parameter& a_;
  const Parameter& b_;
  const Parameter* bias_;
};

// Each rank has own columns of a and the same rows of b; all have all of x and y:
//
//   x --- own columns of a --- own rows of b ---> a term of y --- sum over ranks ---> y
class SvdByRank final : public Linear {
 public:
  SvdByRank(const Scope& scope, const LinearShape& shape, const SvdSpec& spec,
            const SvdInits& inits, const Sharing& sharing)
      : sharing_(sharing),
        a_(scope.parameter("a", {shape.in, own_count(spec.rank, sharing)}, inits.a,
                           placed_part(1, spec.rank, sharing))),
        b_(scope.parameter("b", {own_count(spec.rank, sharing), shape.out}, inits.b,
                           placed_part(0, spec.rank, sharing))),
        bias_(declare_bias(scope, shape)) {}
  Tensor apply(const Tensor& x) const override {
    const Tensor term = svd_linear(ty::enter(x, sharing_), a_.value, b_.value, Tensor());
    return biased(leave(term, sharing_), value_of(bias_));
  }
  Tensor dense_weight() const override { return product_of(a_, b_); }

 private:
  Sharing sharing_;
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

std::string obstacle_to_rank_split(const SvdSpec& spec, int ranks) {
  if (spec.rank % ranks == 0) return "";
  return fmt::format("rank {} is no multiple of {}", spec.rank, ranks);
}

std::string obstacle_to(const SvdSpec&, const LinearShape&, Split, int) { return ""; }

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const SvdSpec& spec, Split split, const Sharing& sharing) {
  const SvdInits inits = svd_inits(shape, spec, scope.path());
  const bool is_shared = sharing.ranks() > 1;
  if (is_shared && sharing.layout == LinearLayout::rank) {
    return std::make_unique<SvdByRank>(scope, shape, spec, inits, sharing);
  }
  if (!is_shared || split == Split::none) {
    return std::make_unique<SvdLinear>(scope, shape, spec, inits);
  }
  if (split == Split::out) return std::make_unique<SvdOut>(scope, shape, spec, inits, sharing);
  return std::make_unique<SvdIn>(scope, shape, spec, inits, sharing);
}

}  // namespace ty
