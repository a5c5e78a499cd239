#include "models/linear/svd/svd.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/ops/bias.h"
#include "core/ops/elementwise.h"
#include "core/ops/matmul.h"
#include "models/linear/base/bias.h"
#include "models/linear/base/factor_init.h"
#include "models/linear/svd/svd_factors.h"
#include "models/linear/svd/svd_function.h"
#include "parallel/tensor/region.h"

namespace ty {

namespace {

Tensor product_of(const Parameter& a, const Parameter& b) {
  const NoGrad no_grad;
  return matmul(a.value, b.value);
}

// What a rank has of the factors, and what comes between them.
struct SvdParts {
  const Parameter& a;
  const Parameter& b;
  const Parameter* bias;
  std::optional<UnaryOp> activation;

  Tensor between(const Tensor& z) const { return activation ? ty::activation(*activation, z) : z; }
};

class SvdLayer : public Linear {
 public:
  SvdLayer(const SvdParts& own, const Sharing& sharing, WeightShards shards = {})
      : own_(own), sharing_(sharing), shards_(std::move(shards)) {}
  Tensor dense_weight() const override {
    if (!own_.activation) return product_of(own_.a, own_.b);
    throw ConfigError("an svd layer with an activation is not linear: no matrix stands for it");
  }

 protected:
  SvdParts own_;
  Sharing sharing_;
  WeightShards shards_;  // of the factor that lies inside
};

class SvdWhole final : public SvdLayer {
 public:
  using SvdLayer::SvdLayer;
  Tensor apply(const Tensor& x) const override {
    return svd_linear(x, own_.a.value, own_.b.value, value_of(own_.bias), own_.activation);
  }
};

// Shared by ranks, only the factor that lies inside is divided, and what crosses ranks has r
// numbers per token, not `in` or `out` (with own rows: layout B, without: layout A):
//
//   out:  x --- a ---> z --- enter ---> z of all rows --- own columns of b ---> own columns of y
//   in:   own columns of x --- own rows of a ---> a term of z --- leave ---> z --- b ---> y
class SvdOut final : public SvdLayer {
 public:
  using SvdLayer::SvdLayer;
  Tensor enter(const Tensor& x) const override {
    return ty::enter(linear(x, own_.a.value, Tensor()), sharing_);
  }
  Tensor apply(const Tensor& z) const override {
    return linear(own_.between(z), own_.b.value, value_of(own_.bias), WeightLayout::in_out,
                  InReplay::read, shards_);
  }
};

class SvdIn final : public SvdLayer {
 public:
  using SvdLayer::SvdLayer;
  Tensor apply(const Tensor& x) const override {
    const Tensor term =
        linear(x, own_.a.value, Tensor(), WeightLayout::in_out, terms_in_replay(sharing_), shards_);
    return linear(own_.between(leave(term, sharing_)), own_.b.value, value_of(own_.bias));
  }
};

// Each rank has own columns of a and the same rows of b; all have all of x and y:
//
//   x --- own columns of a --- own rows of b ---> a term of y --- sum over ranks ---> y
class SvdByRank final : public SvdLayer {
 public:
  using SvdLayer::SvdLayer;
  Tensor apply(const Tensor& x) const override {
    const Tensor term =
        svd_linear(ty::enter(x, sharing_), own_.a.value, own_.b.value, Tensor(), own_.activation);
    return biased(leave(term, sharing_), value_of(own_.bias));
  }
};

// Each rank has own rows of a and own columns of b, and own columns of x and y (BOOST's bottleneck
// tensor parallelism):
//
//   own columns of x --- own rows of a ---> a term of z --- sum over ranks ---> z ---
//   own columns of b ---> own columns of y
class SvdHidden final : public SvdLayer {
 public:
  using SvdLayer::SvdLayer;
  Tensor enter(const Tensor& x) const override {
    return all_reduce_all_reduce(
        linear(x, own_.a.value, Tensor(), WeightLayout::in_out, InReplay::unread), sharing_.tensor);
  }
  Tensor apply(const Tensor& z) const override {
    return linear(own_.between(z), own_.b.value, value_of(own_.bias));
  }
};

// Declares the factors, of which a rank holds a part along one dimension or (-1) the whole.
SvdParts declare(const Scope& scope, const LinearShape& shape, const SvdSpec& spec,
                 const Sharing& sharing, int divided_in_a, int divided_in_b) {
  const SvdInits inits = svd_inits(shape, spec, scope.path());
  const auto factor = [&](const char* name, Shape whole, const Init& init,
                          int dim) -> const Parameter& {
    if (dim < 0) return scope.parameter(name, whole, init);
    const Placement placement = placed_part(dim, whole[dim], sharing);
    whole[dim] = own_count(whole[dim], sharing);
    return scope.parameter(name, whole, init, placement);
  };
  const Parameter& a = factor("a", {shape.in, spec.rank}, inits.a, divided_in_a);
  const Parameter& b = factor("b", {spec.rank, shape.out}, inits.b, divided_in_b);
  const bool own_columns = divided_in_b == 1;
  return {a, b, own_columns ? declare_bias_part(scope, shape, sharing) : declare_bias(scope, shape),
          spec.activation};
}

}  // namespace

void fields(config::Fields& f, SvdSpec& s) {
  f.field("rank", s.rank, "columns of the first factor; 0: by keep", config::between(0, kMostSize));
  keep_field(f, s.keep);
  init_field(f, s.init);
  f.field("activation", s.activation,
          "between the factors, which makes the layer f(x A) B; null: none",
          {{"silu", UnaryOp::silu}, {"gelu", UnaryOp::gelu_erf}, {"relu", UnaryOp::relu}});
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

std::string describe(const SvdSpec& spec) {
  const std::string text = fmt::format("svd rank {}", spec.rank);
  if (!spec.activation) return text;
  const bool is_silu = spec.activation == UnaryOp::silu, is_relu = spec.activation == UnaryOp::relu;
  return text + (is_silu ? " with silu" : is_relu ? " with relu" : " with gelu");
}

bool is_one_matrix(const SvdSpec& spec) { return !spec.activation; }

std::int64_t num_weights(const SvdSpec& spec, const LinearShape& shape) {
  return svd_parameters(shape.in, shape.out, spec.rank);
}

double forward_flops(const SvdSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  return flops_of_weights(num_weights(spec, shape), tokens);
}

SvdInits svd_inits(const LinearShape& shape, const SvdSpec& spec, const std::string& path) {
  const FactorChain chain = {{shape.in, 1}, {1, shape.out}, {1, spec.rank, 1}};
  const std::vector<Init> both = factor_inits(chain, shape.weight_std, spec.init, path);
  return {both[0], both[1]};
}

std::string obstacle_to_rank_split(const SvdSpec& spec, int ranks) {
  if (spec.rank % ranks == 0) return "";
  return fmt::format("rank {} is no multiple of {}", spec.rank, ranks);
}

std::string obstacle_to_hidden_split(const SvdSpec&) { return ""; }

std::string obstacle_to(const SvdSpec&, const LinearShape&, Split, int) { return ""; }

RankWork work_when_split(const SvdSpec& spec, const LinearShape& shape, Split split,
                         const Sharing& sharing) {
  const bool out = split == Split::out;
  const double ranks = sharing.ranks();
  const auto outer = static_cast<double>(spec.rank * (out ? shape.in : shape.out));
  const auto inner = static_cast<double>(spec.rank * (out ? shape.out : shape.in)) / ranks;
  const double applied = sharing.has_own_rows() ? outer / ranks : outer;
  return {.seconds = seconds_of_flops(2 * (applied + inner) * kStepTokens),
          .numbers = 2.0 * kStepTokens * static_cast<double>(spec.rank),
          .gradients = sharing.has_own_rows() ? outer : 0,
          .weights = outer + inner};
}

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const SvdSpec& spec, Split split, const Sharing& sharing) {
  const auto own = [&](int divided_in_a, int divided_in_b) {
    return declare(scope, shape, spec, sharing, divided_in_a, divided_in_b);
  };
  const bool is_shared = sharing.ranks() > 1;
  const WeightShards shards = shards_of(shape, split, sharing);
  if (is_shared && sharing.layout == LinearLayout::rank) {
    return std::make_unique<SvdByRank>(own(1, 0), sharing);
  }
  if (is_shared && sharing.layout == LinearLayout::hidden) {
    return std::make_unique<SvdHidden>(own(0, 1), sharing);
  }
  if (!sharing.is_divided() || split == Split::none) {
    return std::make_unique<SvdWhole>(own(-1, -1), sharing);
  }
  if (split == Split::out) return std::make_unique<SvdOut>(own(-1, 1), sharing, shards);
  return std::make_unique<SvdIn>(own(0, -1), sharing, shards);
}

}  // namespace ty
