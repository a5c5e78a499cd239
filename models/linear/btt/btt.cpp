#include "models/linear/btt/btt.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "models/linear/base/bias.h"
#include "models/linear/base/factor_init.h"
#include "models/linear/btt/btt_blocks.h"
#include "models/linear/btt/btt_function.h"

namespace ty {

namespace {

std::int64_t divisor_below_root(std::int64_t n) {
  std::int64_t most = 1;
  for (std::int64_t d = 1; d * d <= n; ++d) {
    if (n % d == 0) most = d;
  }
  return most;
}

class BttLayer final : public Linear {
 public:
  BttLayer(const Parameter& a, const Parameter& b, const Parameter* bias)
      : a_(a), b_(b), bias_(bias) {}
  Tensor apply(const Tensor& x) const override {
    return btt_linear(x, a_.value, b_.value, value_of(bias_));
  }
  Tensor dense_weight() const override { return btt_weight(a_.value, b_.value); }

 private:
  const Parameter &a_, &b_;
  const Parameter* bias_;
};

}  // namespace

void fields(config::Fields& f, BttSpec& s) {
  using config::between;
  f.field("in", s.in, "rows of a block, and how many blocks share them; none: chosen and printed",
          between(1, kMostSize));
  f.field("out", s.out, "how many blocks share columns, and those of a block; none: chosen",
          between(1, kMostSize));
  f.field("rank", s.rank, "of each block; 0: by keep", between(0, kMostSize));
  keep_field(f, s.keep);
}

std::optional<SpecFault> fault_of(const BttSpec& spec) {
  if (auto fault = fault_of_pairs(spec.in, spec.out)) return fault;
  return fault_of_size({{"rank", spec.rank != 0, fmt::format("{}", spec.rank)},
                        {"keep", spec.keep != 0, fmt::format("{}", spec.keep)}},
                       spec.keep);
}

std::int64_t weights_of_rank(const BttSpec& spec) {
  return spec.in[0] * spec.in[1] * spec.out[0] + spec.out[0] * spec.out[1] * spec.in[1];
}

std::int64_t most_ranks(const BttSpec& spec) { return std::min(spec.in[0], spec.out[1]); }

BttSpec with_chosen_sizes(BttSpec spec, const LinearShape& shape) {
  const std::int64_t m2 = divisor_below_root(shape.in), n1 = divisor_below_root(shape.out);
  spec.in = {shape.in / m2, m2};
  spec.out = {n1, shape.out / n1};
  return spec;
}

BttSpec resolved(const BttSpec& spec, const LinearShape& shape) {
  BttSpec result = spec.in.empty() ? with_chosen_sizes(spec, shape) : spec;
  check_pairs(BttSpec::kKind, result.in, result.out, shape);
  const std::int64_t most = most_ranks(result);
  if (spec.keep > 0) {
    check_budget(spec.keep, shape, weights_of_rank(result), "btt rank 1");
    result.rank = std::min(weights_in_share(spec.keep, shape) / weights_of_rank(result), most);
  }
  if (result.rank < 1 || result.rank > most) {
    throw ConfigError("btt: rank {} of blocks [{}, {}]; want 1 to {}", result.rank, result.in[0],
                      result.out[1], most);
  }
  result.keep = 0;
  return result;
}

std::string describe(const BttSpec& spec) {
  return fmt::format("btt rank {} of blocks [{}, {}], {} x {} of them", spec.rank, spec.in[0],
                     spec.out[1], spec.in[1], spec.out[0]);
}

std::int64_t num_weights(const BttSpec& spec, const LinearShape&) {
  return spec.rank * weights_of_rank(spec);
}

double forward_flops(const BttSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  return flops_of_weights(num_weights(spec, shape), tokens);
}

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const BttSpec& spec, Split, const Sharing&) {
  const std::int64_t m1 = spec.in[0], m2 = spec.in[1], n1 = spec.out[0], n2 = spec.out[1];
  const std::int64_t rank = spec.rank;
  // An entry of W is a sum of r products.
  const double std = std::sqrt(shape.weight_std / std::sqrt(static_cast<double>(rank)));
  const auto init = [&](MatrixSize own) {
    Init result = Init::normal(std);
    result.rate = factor_rate({shape.in, shape.out}, own, 2);
    result.rms = std;
    return result;
  };
  const Parameter& a = scope.parameter("a", {m2, m1, n1 * rank}, init({m1, n1 * rank}));
  const Parameter& b = scope.parameter("b", {n1, m2 * rank, n2}, init({m2 * rank, n2}));
  return std::make_unique<BttLayer>(a, b, declare_bias(scope, shape));
}

}  // namespace ty
