#include "models/linear/tucker/tucker.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/ops/matmul.h"
#include "core/ops/shape.h"
#include "models/linear/ttm/choose_shape.h"
#include "models/linear/ttm/ttm_linear.h"

namespace ty {

namespace {

constexpr std::size_t kModes = 3;

TuckerRanks ranks_of(const TuckerSpec& spec) {
  return {spec.ranks[0], spec.ranks[1], spec.ranks[2]};
}

TtmShape train_of(const TuckerSpec& spec) {
  return with_ranks(spec.in, spec.out, std::array{spec.ranks[0], spec.ranks[2]});
}

// sum_b core[a, b, c] factor[b, i, j], as [a, i, j, c].
Tensor middle_core(const Tensor& core, const Tensor& factor) {
  const std::int64_t a = core.dim(0), b = core.dim(1), c = core.dim(2);
  const std::int64_t i = factor.dim(1), j = factor.dim(2);
  const Tensor rows = reshape(permute(core, {0, 2, 1}), {a * c, b});
  const Tensor product = matmul(rows, reshape(factor, {b, i * j}));
  return contiguous(permute(reshape(product, {a, c, i, j}), {0, 2, 3, 1}));
}

}  // namespace

void fields(config::Fields& f, TuckerSpec& s) {
  using config::between;
  f.field("in", s.in, "three input modes; none: chosen and printed", between(1, kMostSize));
  f.field("out", s.out, "three output modes; none: chosen and printed", between(1, kMostSize));
  f.field("rank", s.rank, "rank of every mode; 0: by ranks or keep", between(0, kMostSize));
  f.field("ranks", s.ranks, "rank of each mode", between(1, kMostSize));
  keep_field(f, s.keep);
}

std::optional<SpecFault> fault_of(const TuckerSpec& spec) {
  for (const auto& [key, sizes] :
       {std::pair{"in", &spec.in}, {"out", &spec.out}, {"ranks", &spec.ranks}}) {
    if (!sizes->empty() && sizes->size() != kModes) {
      return SpecFault{key,
                       fmt::format("{} has {}; want {}", list_of(*sizes), sizes->size(), kModes)};
    }
  }
  if (spec.in.empty() != spec.out.empty()) {
    return SpecFault{"in", "without out, or out without in; state both or neither"};
  }
  return fault_of_size({{"rank", spec.rank != 0, fmt::format("{}", spec.rank)},
                        {"ranks", !spec.ranks.empty(), list_of(spec.ranks)},
                        {"keep", spec.keep != 0, fmt::format("{}", spec.keep)}},
                       spec.keep);
}

TtmShape tucker_modes(const std::vector<std::int64_t>& in, const std::vector<std::int64_t>& out,
                      const LinearShape& shape) {
  TtmShape modes =
      in.empty() ? choose_shape(shape.in, shape.out, 1, kModes) : with_rank(in, out, 1);
  modes.in.resize(kModes, 1);  // sizes that choose_shape() cannot divide as often
  modes.out.resize(kModes, 1);
  modes = with_rank(modes.in, modes.out, 1);
  validate(modes, shape.in, shape.out);
  return modes;
}

std::int64_t tucker_weights(const TtmShape& modes, const TuckerRanks& ranks) {
  std::int64_t sum = ranks[0] * ranks[1] * ranks[2];
  for (std::size_t k = 0; k < kModes; ++k) sum += modes.mode(static_cast<int>(k)) * ranks[k];
  return sum;
}

TuckerRanks even_ranks(const TtmShape& modes, std::int64_t rank) {
  TuckerRanks ranks;
  for (std::size_t k = 0; k < kModes; ++k) {
    ranks[k] = std::min(rank, modes.mode(static_cast<int>(k)));
  }
  for (std::size_t k = 0; k < kModes; ++k) {
    ranks[k] = std::min(ranks[k], ranks[(k + 1) % kModes] * ranks[(k + 2) % kModes]);
  }
  return ranks;
}

TuckerRanks ranks_within(const TtmShape& modes, std::int64_t weights) {
  std::int64_t fits = 1, above = 1;
  for (int k = 0; k < modes.num_cores(); ++k) above = std::max(above, modes.mode(k) + 1);
  while (above - fits > 1) {
    const std::int64_t middle = fits + (above - fits) / 2;
    (tucker_weights(modes, even_ranks(modes, middle)) <= weights ? fits : above) = middle;
  }
  return even_ranks(modes, fits);
}

TuckerSpec resolved(const TuckerSpec& spec, const LinearShape& shape) {
  const TtmShape modes = tucker_modes(spec.in, spec.out, shape);
  TuckerRanks ranks = {};
  if (spec.keep > 0) {
    check_budget(spec.keep, shape, tucker_weights(modes, {1, 1, 1}), "tucker rank 1");
    ranks = ranks_within(modes, weights_in_share(spec.keep, shape));
  } else if (!spec.ranks.empty()) {
    ranks = ranks_of(spec);
  } else {
    ranks = even_ranks(modes, spec.rank);
  }
  for (std::size_t k = 0; k < kModes; ++k) {
    const std::int64_t size = modes.mode(static_cast<int>(k));
    if (ranks[k] < 1 || ranks[k] > size) {
      throw ConfigError("tucker: rank {} of mode {}, which has {} x {}; want 1 to {}", ranks[k],
                        k + 1, modes.in[k], modes.out[k], size);
    }
  }
  return {.in = modes.in, .out = modes.out, .ranks = {ranks.begin(), ranks.end()}};
}

std::string describe(const TuckerSpec& spec) {
  return fmt::format("tucker in {} out {} ranks {}", list_of(spec.in), list_of(spec.out),
                     list_of(spec.ranks));
}

std::int64_t num_weights(const TuckerSpec& spec, const LinearShape&) {
  return tucker_weights(train_of(spec), ranks_of(spec));
}

TtmSpec runs_as(const TuckerSpec& spec) { return exact_spec(train_of(spec)); }

double forward_flops(const TuckerSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  const auto core = static_cast<double>(train_of(spec).core_size(1));
  return 2 * core * static_cast<double>(spec.ranks[1]) +
         forward_flops(runs_as(spec), shape, tokens);
}

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const TuckerSpec& spec, Split split, const Sharing& sharing) {
  const Split own = sharing.ranks() == 1 ? Split::none : split;
  const TtmShape whole = train_of(spec);
  const TtmScope declared(scope, own, sharing);
  // An entry of W is a sum of R_1 R_2 R_3 products of four numbers.
  const auto products = static_cast<double>(spec.ranks[0] * spec.ranks[1] * spec.ranks[2]);
  const Init init = Init::normal(std::pow(shape.weight_std * shape.weight_std / products, 0.125));
  const Parameter& core =
      declared.other("core", {spec.ranks[0], spec.ranks[1], spec.ranks[2]}, init);
  const Parameter& first = declared.first("factor1", whole, init);
  const Parameter& second =
      declared.other("factor2", {spec.ranks[1], whole.in[1], whole.out[1]}, init);
  const Parameter& third =
      declared.other("factor3", {spec.ranks[2], whole.in[2], whole.out[2], 1}, init);
  const auto cores = [&core, &first, &second, &third]() -> std::vector<Tensor> {
    return {first.value, middle_core(core.value, second.value), third.value};
  };
  return std::make_unique<TtmLinear>(scope, shape, whole, cores, own, sharing);
}

}  // namespace ty
