#include "models/linear/kronecker/kronecker.h"

#include <algorithm>
#include <tuple>

#include "core/base/error.h"

namespace ty {

namespace {

std::vector<std::int64_t> divisors_of(std::int64_t n) {
  std::vector<std::int64_t> all;
  for (std::int64_t d = 1; d * d <= n; ++d) {
    if (n % d != 0) continue;
    all.push_back(d);
    if (d != n / d) all.push_back(n / d);
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

void fields(config::Fields& f, KroneckerSpec& s) {
  using config::between;
  f.field("in", s.in, "rows of A and of B; none: chosen and printed", between(1, kMostSize));
  f.field("out", s.out, "columns of A and of B; none: chosen and printed", between(1, kMostSize));
  f.field("terms", s.terms, "products in the sum; 0: by keep", between(0, kMostSize));
  keep_field(f, s.keep);
  init_field(f, s.init);
}

std::optional<SpecFault> fault_of(const KroneckerSpec& spec) {
  if (auto fault = fault_of_pairs(spec.in, spec.out)) return fault;
  return fault_of_size({{"terms", spec.terms != 0, fmt::format("{}", spec.terms)},
                        {"keep", spec.keep != 0, fmt::format("{}", spec.keep)}},
                       spec.keep);
}

std::int64_t weights_of_term(const KroneckerSpec& spec) {
  return spec.in[0] * spec.out[0] + spec.in[1] * spec.out[1];
}

std::int64_t most_terms(const KroneckerSpec& spec) {
  return std::min(spec.in[0] * spec.out[0], spec.in[1] * spec.out[1]);
}

KroneckerSpec with_chosen_sizes(KroneckerSpec spec, const LinearShape& shape) {
  // How far a pair of divisors is from what is wanted, less first.
  using Distance = std::tuple<std::int64_t, double>;
  Distance nearest;
  for (const std::int64_t m : divisors_of(shape.in)) {
    for (const std::int64_t n : divisors_of(shape.out)) {
      const auto [less, more] = std::minmax({m * shape.out, n * shape.in});
      const Distance distance = {m * n + (shape.in / m) * (shape.out / n),
                                 static_cast<double>(more) / static_cast<double>(less)};
      if (!spec.in.empty() && nearest <= distance) continue;
      nearest = distance;
      spec.in = {m, shape.in / m};
      spec.out = {n, shape.out / n};
    }
  }
  return spec;
}

KroneckerSpec resolved(const KroneckerSpec& spec, const LinearShape& shape) {
  KroneckerSpec result = spec.in.empty() ? with_chosen_sizes(spec, shape) : spec;
  check_pairs(KroneckerSpec::kKind, result.in, result.out, shape);
  const std::int64_t most = most_terms(result);
  if (spec.keep > 0) {
    check_budget(spec.keep, shape, weights_of_term(result), "one kronecker product");
    result.terms = std::min(weights_in_share(spec.keep, shape) / weights_of_term(result), most);
  }
  if (result.terms < 1 || result.terms > most) {
    throw ConfigError("kronecker: {} terms of [{}, {}] (x) [{}, {}]; want 1 to {}", result.terms,
                      result.in[0], result.out[0], result.in[1], result.out[1], most);
  }
  result.keep = 0;
  return result;
}

TtmSpec runs_as(const KroneckerSpec& spec) {
  return {.in = spec.in, .out = spec.out, .ranks = {spec.terms}, .init = spec.init};
}

std::string describe(const KroneckerSpec& spec) {
  return fmt::format("kronecker {} x [{}, {}] (x) [{}, {}]", spec.terms, spec.in[0], spec.out[0],
                     spec.in[1], spec.out[1]);
}

std::int64_t num_weights(const KroneckerSpec& spec, const LinearShape&) {
  return spec.terms * weights_of_term(spec);
}

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const KroneckerSpec& spec, Split split,
                                    const Sharing& sharing) {
  return make_linear(scope, shape, runs_as(spec), split, sharing);
}

}  // namespace ty
