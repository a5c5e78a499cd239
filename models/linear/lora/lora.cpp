#include "models/linear/lora/lora.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/ops/bias.h"
#include "core/ops/elementwise.h"
#include "core/ops/matmul.h"
#include "core/ops/shape.h"
#include "models/linear/base/bias.h"
#include "models/linear/base/pass.h"
#include "models/linear/dense/dense.h"
#include "models/linear/lora/dora.h"
#include "models/linear/lora/fused_columns.h"
#include "models/linear/lora/lora_factors.h"
#include "models/linear/lora/start.h"
#include "models/linear/lora/tt_lora.h"

namespace ty {

namespace {

constexpr std::string_view kMagnitude = "magnitude";

// P, as if the whole layer were one part.
std::int64_t num_parts(const LoraOptions& options) {
  return std::max<std::int64_t>(1, std::ssize(options.parts));
}
// Columns of what B gives.
std::int64_t adapted_columns(const LoraOptions& options, const LinearShape& shape) {
  return options.parts.empty() ? shape.out
                               : shape.out / std::ssize(kFusedParts) * num_parts(options);
}
std::int64_t adapter_weights(const LoraOptions& options, const LinearShape& shape) {
  if (options.cores > 0) return num_weights(train_beside(options, shape), shape);
  const std::int64_t columns = adapted_columns(options, shape);
  return options.rank * (num_parts(options) * shape.in + columns) + (options.dora ? columns : 0);
}

// He et al.'s uniform start with the slope sqrt(5), as of a linear layer's weight: within
// +- 1 / sqrt(in).
Init uniform_init(const Shape& whole, const std::string& path) {
  return Init::computed([whole, path](std::uint64_t seed) {
    const RandomStream stream(seed, site_id(path));
    const double bound = 1.0 / std::sqrt(static_cast<double>(whole[0]));
    std::vector<double> values(static_cast<std::size_t>(whole.numel()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = bound * (2 * uniform_open(stream.word(0, i)) - 1);
    }
    return values;
  });
}

// The adapter is shared as an svd layer is: what crosses ranks has r numbers per token.
//
//   out:  x --- a ---> z --- enter ---> z of all rows --- own columns of b ---> own columns of y
//   in:   own columns of x --- own rows of a ---> a term of z --- leave ---> z --- b ---> y
class LoraLayer final : public Linear {
 public:
  LoraLayer(const Scope& scope, const LinearShape& shape, const LoraSpec& spec, Split split,
            const Sharing& sharing)
      : options_(spec.options),
        split_(sharing.is_divided() ? split : Split::none),
        sharing_(sharing),
        shards_(shards_of(shape, split, sharing)),
        site_(site_id(scope.path() + ".lora.dropout")) {
    // With dora the columns of both must be the same ranks'.
    Sharing of_base = sharing;
    of_base.layout =
        options_.dora && split_ == Split::out ? LinearLayout::split : LinearLayout::automatic;
    LinearShape shape_of_base = shape;
    shape_of_base.bias = shape.bias && !options_.dora;
    base_ = ty::make_linear(scope, shape_of_base, spec.of, split, of_base);
    declare(scope.child("lora"), shape);
    if (!options_.dora) return;
    bias_ = split_ == Split::out ? declare_bias_part(scope, shape, sharing)
                                 : declare_bias(scope, shape);
  }

  Tensor apply(const Tensor& x) const override { return forward_in(x, {}); }
  Tensor forward_in(const Tensor& x, const LinearPass& pass) const override {
    const Tensor y = add(base_->forward_in(x, pass), change_of(x, pass));
    return options_.dora ? biased(mul(y, gain()), value_of(bias_)) : y;
  }
  Tensor dense_weight() const override {
    const NoGrad no_grad;
    const Tensor change = scale(matmul(a_->value, outer()), options_.scale());
    const Tensor sum = add(base_->dense_weight(), change);
    return options_.dora ? mul(sum, gain()) : sum;
  }
  LoraFactors factors() const {
    const NoGrad no_grad;
    LoraFactors now = {a_->value.detach(), outer().detach(), {}};
    if (options_.parts.empty()) return now;
    const Tensor& b = b_->value;
    now.trained = spread_over_fused(Tensor::full(b.backend(), b.shape(), b.dtype(), 1.0), parts_);
    return now;
  }
  void begin_step() override {
    base_->begin_step();
    if (options_.dora) squares_ = column_squares(base_->dense_weight());
  }
  void end_step() override {
    squares_ = Tensor();
    base_->end_step();
  }

 private:
  void declare(const Scope& scope, const LinearShape& shape) {
    const bool cuts_out = split_ == Split::out, cuts_in = split_ == Split::in;
    const std::int64_t width = num_parts(options_) * options_.rank;
    const std::int64_t columns = adapted_columns(options_, shape);
    const Init init = uniform_init({shape.in, width}, scope.path() + ".a");
    a_ = cuts_in ? &scope.parameter("a", {own_count(shape.in, sharing_), width}, init,
                                    placed_part(0, shape.in, sharing_))
                 : &scope.parameter("a", {shape.in, width}, init);
    b_ = cuts_out ? &scope.parameter("b", {options_.rank, own_count(columns, sharing_)},
                                     Init::constant(0.0), placed_part(1, columns, sharing_))
                  : &scope.parameter("b", {options_.rank, columns}, Init::constant(0.0));
    parts_ = fused_parts(options_.parts, cuts_out ? shape.heads / sharing_.ranks() : shape.heads);
    if (!options_.dora) return;
    magnitude_ = &declare_columns(scope, kMagnitude, columns);
  }
  // [columns], of which a rank that cuts columns has its part; one at the start.
  const Parameter& declare_columns(const Scope& scope, std::string_view name,
                                   std::int64_t columns) const {
    const Init one = Init::constant(1.0);
    if (split_ != Split::out) return scope.parameter(name, {columns}, one);
    return scope.parameter(name, {own_count(columns, sharing_)}, one,
                           placed_part(0, columns, sharing_));
  }

  // Of dora, what own columns are multiplied by. A is read by own columns alone here: unless it has
  // its share of the rows besides, and all ranks' gradients of it are added up anyway, they are
  // now.
  Tensor gain() const {
    const bool adds_up = split_ == Split::out && !sharing_.has_own_rows();
    const Tensor a = adds_up ? ty::enter(a_->value, sharing_) : a_->value;
    const Tensor turned = contiguous(permute(a, {1, 0}));
    return dora_gain(
        {.squares = squares_.defined() ? squares_ : column_squares(base_->dense_weight()),
         .seen = base_->apply(turned),
         .turned = turned,
         .b = outer(),
         .magnitude = magnitude_->value,
         .scale = options_.scale(),
         .parts = parts_});
  }

  // B [P r, own columns].
  Tensor outer() const {
    return options_.parts.empty() ? b_->value : spread_over_fused(b_->value, parts_);
  }

  Tensor change_of(const Tensor& x, LinearPass pass) const {
    const bool is_inside = split_ == Split::in;
    const Share share = {sharing_.tensor.rank(), sharing_.ranks()};
    if (!is_inside && sharing_.has_own_rows()) pass.rows = share;
    const Tensor kept = drop(x, options_.dropout, site_, pass, is_inside ? share : Share());
    if (split_ == Split::out) {
      const Tensor z = enter_narrow(linear(kept, a_->value, Tensor()));
      return linear(z, outer(), Tensor(), WeightLayout::in_out, InReplay::read, shards_);
    }
    if (!is_inside) return linear(scaled(linear(kept, a_->value, Tensor())), outer(), Tensor());
    const Tensor term =
        linear(kept, a_->value, Tensor(), WeightLayout::in_out, terms_in_replay(sharing_), shards_);
    return linear(scaled(leave(term, sharing_)), outer(), Tensor());
  }
  Tensor scaled(const Tensor& z) const { return scale(z, options_.scale()); }
  Tensor enter_narrow(const Tensor& z) const { return ty::enter(scaled(z), sharing_); }

  LoraOptions options_;
  Split split_;
  Sharing sharing_;
  WeightShards shards_;
  std::uint64_t site_;
  std::unique_ptr<Linear> base_;
  const Parameter* a_ = nullptr;
  const Parameter* b_ = nullptr;
  const Parameter* magnitude_ = nullptr;
  const Parameter* bias_ = nullptr;  // with dora; else it is the base's
  FusedParts parts_;
  Tensor squares_;  // of the columns of W, during a step
};

}  // namespace

double LoraOptions::scale() const {
  const auto r = static_cast<double>(rank);
  return alpha / (rslora ? std::sqrt(r) : r);
}

void fields(config::Fields& f, LoraOptions& options) {
  f.field("rank", options.rank, "r, of the two factors that are added",
          config::between(1, kMostSize));
  f.field("alpha", options.alpha, "their product counts alpha / rank times", config::positive());
  f.field("dropout", options.dropout, "of what the first factor reads",
          config::at_least(0).below(1));
  f.field("rslora", options.rslora, "alpha / sqrt(rank) instead");
  f.field("dora", options.dora, "whether the lengths of columns are trained apart");
  f.field("init", options.init,
          "zero: nothing is added at first; pissa: the principal part of the weight, of which the "
          "rest stays frozen",
          {{"zero", LoraInit::zero}, {"pissa", LoraInit::pissa}});
  f.field("cores", options.cores,
          "in place of the two factors a tensor train of so many cores at most, with bonds of that "
          "rank; 0: two factors",
          config::between(0, 6));
  f.field("parts", options.parts,
          "of a fused layer attn.qkv: some of q, k and v, each with factors of its own; empty: the "
          "fused matrix as one");
}

std::optional<SpecFault> fault_of(const LoraOptions& options) {
  if (options.cores == 1) return SpecFault{"cores", "1 core is a dense matrix; want 2 to 6, or 0"};
  if (options.cores > 0) {
    const char* other = options.dora                      ? "dora"
                        : options.init == LoraInit::pissa ? "init: pissa"
                        : !options.parts.empty()          ? "parts"
                                                          : nullptr;
    if (other != nullptr) return SpecFault{"cores", fmt::format("not with {}", other)};
  }
  for (auto part = options.parts.begin(); part != options.parts.end(); ++part) {
    if (std::find(kFusedParts.begin(), kFusedParts.end(), *part) == kFusedParts.end()) {
      return SpecFault{"parts", fmt::format("\"{}\" is none of q, k and v", *part)};
    }
    if (std::find(options.parts.begin(), part, *part) != part) {
      return SpecFault{"parts", fmt::format("{} is stated twice", *part)};
    }
  }
  return std::nullopt;
}

void fields(config::Fields& f, LoraSpec& spec) {
  fields(f, spec.options);
  f.field("of", spec.of, "what is adapted", config::required());
}

std::optional<SpecFault> fault_of(const LoraSpec& spec) {
  if (auto fault = fault_of(spec.options)) return fault;
  if (spec.of.as<LoraSpec>() != nullptr) return SpecFault{"of", "has an adapter of its own"};
  return fault_of_inner(spec.of);
}

LoraSpec resolved(const LoraSpec& spec, const LinearShape& shape) {
  const std::int64_t most = std::min(shape.in, shape.out);
  if (spec.options.rank < 1 || spec.options.rank > most) {
    throw ConfigError("lora: rank {} of a [{}, {}] matrix; want 1 to {}", spec.options.rank,
                      shape.in, shape.out, most);
  }
  if (!spec.options.parts.empty() && shape.heads == 0) {
    throw ConfigError("lora: parts: only a fused layer attn.qkv has any");
  }
  LoraSpec result = {spec.options, resolved(spec.of, shape)};
  if (const std::string obstacle = obstacle_to_start(result); !obstacle.empty()) {
    throw ConfigError("lora: {}", obstacle);
  }
  return result;
}

std::string describe(const LoraSpec& spec) {
  const LoraOptions& options = spec.options;
  const char* kind = options.cores > 0 ? "tt-lora" : options.dora ? "dora" : "lora";
  const bool is_usual = options.alpha == LoraOptions().alpha && !options.rslora;
  return fmt::format(
      "{} + {} rank {}{}{}{}", describe(spec.of), kind, options.rank,
      options.cores > 0 ? fmt::format(" in {} cores", options.cores) : "",
      is_usual ? "" : fmt::format(" times {:.4g}", options.scale()),
      options.parts.empty() ? "" : fmt::format(" of {}", fmt::join(options.parts, ", ")));
}

std::int64_t num_weights(const LoraSpec& spec, const LinearShape& shape) {
  return num_weights(spec.of, shape) + adapter_weights(spec.options, shape);
}

bool is_one_matrix(const LoraSpec& spec) { return is_one_matrix(spec.of); }

double forward_flops(const LoraSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  const double once =  // of dora: what A makes of W
      spec.options.dora ? forward_flops(spec.of, shape, spec.options.rank * num_parts(spec.options))
                        : 0.0;
  if (spec.options.cores > 0) {
    return forward_flops(spec.of, shape, tokens) +
           forward_flops(train_beside(spec.options, shape), shape, tokens);
  }
  return forward_flops(spec.of, shape, tokens) + once +
         flops_of_weights(adapter_weights(spec.options, shape), tokens);
}

Execution execution_of(const LoraSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  return execution_of(spec.of, shape, tokens);
}

std::string obstacle_to(const LoraSpec& spec, const LinearShape& shape, Split split, int ranks) {
  const LoraOptions& options = spec.options;
  if (options.dora && split == Split::in) return "dora layers want whole columns";
  if (options.dora && spec.of.as<DenseSpec>() == nullptr) {
    return fmt::format("dora beside {} layers wants all of them", kind_name(spec.of));
  }
  // A train that is not split can be whole if what lies inside is even.
  const std::int64_t inside = split == Split::out ? shape.out : shape.in;
  if (options.cores == 0 || inside % ranks == 0) return "";
  return obstacle_to(train_beside(options, shape), shape, split, ranks);
}

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const LoraSpec& spec, Split split, const Sharing& sharing) {
  if (sharing.has_own_columns()) {
    throw ConfigError("{}: lora layers are not shared where another layer is hidden", scope.path());
  }
  if ((spec.options.dora || spec.options.cores > 0) && sharing.is_canonical()) {
    throw ConfigError("{}: sums of {} layers are not canonical; want parallel.reduction: fast",
                      scope.path(), spec.options.dora ? "dora" : "tt-lora");
  }
  if (spec.options.cores > 0) return make_tt_lora(scope, shape, spec, split, sharing);
  return std::make_unique<LoraLayer>(scope, shape, spec, split, sharing);
}

LoraFactors lora_factors(const Linear& layer) {
  const auto* lora = dynamic_cast<const LoraLayer*>(&layer);
  TY_CHECK(lora != nullptr, "a layer without two factors is asked for them");
  return lora->factors();
}

}  // namespace ty
