#include "models/linear/lora/lora.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/ops/elementwise.h"
#include "core/ops/matmul.h"
#include "models/linear/base/pass.h"
#include "models/linear/lora/fused_columns.h"

namespace ty {

namespace {

constexpr std::array<std::string_view, 3> kParts = {"q", "k", "v"};

// P, as if the whole layer were one part.
std::int64_t num_parts(const LoraOptions& options) {
  return std::max<std::int64_t>(1, std::ssize(options.parts));
}
// Columns of what B gives.
std::int64_t adapted_columns(const LoraOptions& options, const LinearShape& shape) {
  return options.parts.empty() ? shape.out : shape.out / std::ssize(kParts) * num_parts(options);
}
std::int64_t adapter_weights(const LoraOptions& options, const LinearShape& shape) {
  return options.rank * (num_parts(options) * shape.in + adapted_columns(options, shape));
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

FusedParts parts_of(const LoraOptions& options, std::int64_t own_heads) {
  FusedParts parts = {{}, own_heads};
  for (const std::string& name : options.parts) {
    parts.which.push_back(std::find(kParts.begin(), kParts.end(), name) - kParts.begin());
  }
  return parts;
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
    if (sharing.has_own_columns()) {
      throw ConfigError("{}: lora layers are not shared where another layer is hidden",
                        scope.path());
    }
    Sharing of_base = sharing;
    of_base.layout = LinearLayout::automatic;
    base_ = ty::make_linear(scope, shape, spec.of, split, of_base);
    declare(scope.child("lora"), shape);
  }

  Tensor apply(const Tensor& x) const override { return forward_in(x, {}); }
  Tensor forward_in(const Tensor& x, const LinearPass& pass) const override {
    return add(base_->forward_in(x, pass), change_of(x, pass));
  }
  Tensor dense_weight() const override {
    const NoGrad no_grad;
    return add(base_->dense_weight(), scale(matmul(a_->value, outer()), options_.scale()));
  }
  void begin_step() override { base_->begin_step(); }
  void end_step() override { base_->end_step(); }

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
    parts_ = parts_of(options_, cuts_out ? shape.heads / sharing_.ranks() : shape.heads);
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
  FusedParts parts_;
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
  f.field("parts", options.parts,
          "of a fused layer attn.qkv: some of q, k and v, each with factors of its own; empty: the "
          "fused matrix as one");
}

std::optional<SpecFault> fault_of(const LoraOptions& options) {
  for (auto part = options.parts.begin(); part != options.parts.end(); ++part) {
    if (std::find(kParts.begin(), kParts.end(), *part) == kParts.end()) {
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
  auto fault = fault_of(spec.of);
  if (fault) fault->key = "of." + fault->key;
  return fault;
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
  return {spec.options, resolved(spec.of, shape)};
}

std::string describe(const LoraSpec& spec) {
  const LoraOptions& options = spec.options;
  return fmt::format(
      "{} + lora rank {}{}", describe(spec.of), options.rank,
      options.parts.empty() ? "" : fmt::format(" of {}", fmt::join(options.parts, ", ")));
}

std::int64_t num_weights(const LoraSpec& spec, const LinearShape& shape) {
  return num_weights(spec.of, shape) + adapter_weights(spec.options, shape);
}

double forward_flops(const LoraSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  return forward_flops(spec.of, shape, tokens) +
         flops_of_weights(adapter_weights(spec.options, shape), tokens);
}

Execution execution_of(const LoraSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  return execution_of(spec.of, shape, tokens);
}

std::string obstacle_to(const LoraSpec&, const LinearShape&, Split, int) { return ""; }

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const LoraSpec& spec, Split split, const Sharing& sharing) {
  return std::make_unique<LoraLayer>(scope, shape, spec, split, sharing);
}

bool is_adapter(std::string_view parameter) {
  return parameter.ends_with(".lora.a") || parameter.ends_with(".lora.b");
}

}  // namespace ty
