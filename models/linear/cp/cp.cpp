#include "models/linear/cp/cp.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/shape.h"
#include "models/linear/ttm/choose_shape.h"
#include "models/linear/ttm/ttm_linear.h"

namespace ty {

namespace {

std::int64_t weights_of_term(const TtmShape& modes) {
  std::int64_t sum = 0;
  for (int k = 0; k < modes.num_cores(); ++k) sum += modes.mode(k);
  return sum;
}

// The train of two cores that the layer runs as; of one mode, the matrix itself.
TtmShape train_of(const CpSpec& spec) {
  const auto rest = [](const std::vector<std::int64_t>& sizes) {
    return std::accumulate(sizes.begin() + 1, sizes.end(), std::int64_t{1}, std::multiplies<>());
  };
  return with_rank({spec.in[0], rest(spec.in)}, {spec.out[0], rest(spec.out)}, spec.terms);
}

// Two factors [R, I, J], [R, K, L] term by term: [R, I K, J L].
Tensor times(const Tensor& a, const Tensor& b) {
  const std::int64_t terms = a.dim(0);
  const Tensor left = reshape(a, {terms, a.dim(1), 1, a.dim(2), 1});
  const Tensor right = reshape(b, {terms, 1, b.dim(1), 1, b.dim(2)});
  return reshape(mul(left, right), {terms, a.dim(1) * b.dim(1), a.dim(2) * b.dim(2)});
}

}  // namespace

void fields(config::Fields& f, CpSpec& s) {
  using config::between;
  f.field("in", s.in, "input modes; none: chosen and printed", between(1, kMostSize));
  f.field("out", s.out, "output modes, as many; none: chosen and printed", between(1, kMostSize));
  f.when("in", s.in.empty(), "without in and out", [&] {
    f.field("modes", s.modes, "modes at most, where they are chosen", between(2, kMostCores));
  });
  f.field("terms", s.terms, "outer products in the sum; 0: by keep", between(0, kMostSize));
  keep_field(f, s.keep);
}

std::optional<SpecFault> fault_of(const CpSpec& spec) {
  if (spec.in.size() != spec.out.size()) {
    return SpecFault{"out", fmt::format("{} modes, but in = {} has {}; state both or neither",
                                        list_of(spec.out), list_of(spec.in), spec.in.size())};
  }
  if (spec.in.size() == 1) return SpecFault{"in", "one mode; want two or more"};
  return fault_of_size({{"terms", spec.terms != 0, fmt::format("{}", spec.terms)},
                        {"keep", spec.keep != 0, fmt::format("{}", spec.keep)}},
                       spec.keep);
}

TtmShape modes_of(const CpSpec& spec) { return with_rank(spec.in, spec.out, 1); }

namespace {

// So many are enough for every matrix: each entry of all modes but the longest gets a term of its
// own, whose vector along the longest is free.
std::int64_t most_terms(const TtmShape& modes) {
  std::int64_t all = 1, longest = 1;
  for (std::size_t k = 0; k < modes.in.size(); ++k) {
    const std::int64_t length = modes.in[k] * modes.out[k];
    all *= length;
    longest = std::max(longest, length);
  }
  return all / longest;
}

}  // namespace

CpSpec resolved(const CpSpec& spec, const LinearShape& shape) {
  CpSpec result = spec;
  if (spec.in.empty()) {
    const TtmShape chosen = choose_shape(shape.in, shape.out, 1, static_cast<int>(spec.modes));
    result.in = chosen.in;
    result.out = chosen.out;
  }
  if (result.in.size() == 1) {  // sizes that choose_shape() cannot divide
    result.in.push_back(1);
    result.out.push_back(1);
  }
  const TtmShape modes = modes_of(result);
  validate(modes, shape.in, shape.out);
  const std::int64_t term = weights_of_term(modes);
  if (spec.keep > 0) {
    check_budget(spec.keep, shape, term, "one cp term");
    result.terms = std::min(weights_in_share(spec.keep, shape) / term, most_terms(modes));
  }
  const std::int64_t most = most_terms(modes);
  if (result.terms < 1 || result.terms > most) {
    throw ConfigError("cp: {} terms of in {} out {}; want 1 to {}, which can be any matrix",
                      result.terms, list_of(result.in), list_of(result.out), most);
  }
  result.keep = 0;
  return result;
}

std::string describe(const CpSpec& spec) {
  return fmt::format("cp {} terms in {} out {}", spec.terms, list_of(spec.in), list_of(spec.out));
}

std::int64_t num_weights(const CpSpec& spec, const LinearShape&) {
  return spec.terms * weights_of_term(modes_of(spec));
}

TtmSpec runs_as(const CpSpec& spec) { return exact_spec(train_of(spec)); }

double forward_flops(const CpSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  return static_cast<double>(train_of(spec).core_size(1)) +
         forward_flops(runs_as(spec), shape, tokens);
}

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const CpSpec& spec, Split split, const Sharing& sharing) {
  const Split own = sharing.ranks() == 1 ? Split::none : split;
  const TtmScope declared(scope, own, sharing);
  // An entry of W is a sum of R products of N factors.
  const double variance = shape.weight_std * shape.weight_std / static_cast<double>(spec.terms);
  const Init init = Init::normal(std::pow(variance, 0.5 / static_cast<double>(spec.in.size())));
  const Parameter& first = declared.first("factor1", train_of(spec), init);
  std::vector<const Parameter*> others;
  for (std::size_t k = 1; k < spec.in.size(); ++k) {
    others.push_back(&declared.other(fmt::format("factor{}", k + 1),
                                     {spec.terms, spec.in[k], spec.out[k]}, init));
  }
  const auto cores = [&first, others = std::move(others)]() -> std::vector<Tensor> {
    Tensor product = others[0]->value;
    for (std::size_t k = 1; k < others.size(); ++k) product = times(product, others[k]->value);
    return {first.value, reshape(product, {product.dim(0), product.dim(1), product.dim(2), 1})};
  };
  return std::make_unique<TtmLinear>(scope, shape, train_of(spec), cores, own, sharing);
}

}  // namespace ty
