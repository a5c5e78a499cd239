#include "models/linear/row_trains/row_trains.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/ops/matmul.h"
#include "core/ops/shape.h"
#include "models/linear/base/bias.h"
#include "models/linear/ttm/choose_shape.h"

namespace ty {

namespace {

std::vector<std::int64_t> ones(std::size_t count) { return std::vector<std::int64_t>(count, 1); }

TtmShape modes_for(const RowTrainsSpec& spec, const LinearShape& shape) {
  if (!spec.out.empty()) return with_rank(ones(spec.out.size()), spec.out, 1);
  return choose_shape(1, shape.out, 1, static_cast<int>(spec.cores));
}

// Multiply-adds that make a row.
std::int64_t products_of_row(const TtmShape& row) {
  std::int64_t width = row.out[0], all = 0;
  for (int k = 1; k < row.num_cores(); ++k) {
    all += width * row.core_size(k);
    width *= row.out[static_cast<std::size_t>(k)];
  }
  return all;
}

class RowTrains final : public Linear {
 public:
  RowTrains(std::vector<const Parameter*> cores, const Parameter* bias, std::int64_t out)
      : cores_(std::move(cores)), bias_(bias), out_(out) {}
  Tensor apply(const Tensor& x) const override {
    return linear(x, shared_.defined() ? shared_ : weight(), value_of(bias_));
  }
  Tensor dense_weight() const override {
    const NoGrad no_grad;
    return weight();
  }
  void begin_step() override { shared_ = share(weight()); }
  void end_step() override { shared_ = Tensor(); }

 private:
  Tensor weight() const {
    std::vector<Tensor> cores;
    for (const Parameter* core : cores_) cores.push_back(core->value);
    return contracted_rows(cores, out_);
  }

  std::vector<const Parameter*> cores_;
  const Parameter* bias_;
  std::int64_t out_;
  Tensor shared_;  // W between begin_step() and end_step()
};

}  // namespace

void fields(config::Fields& f, RowTrainsSpec& s) {
  using config::between;
  f.field("out", s.out, "modes of a row, core by core; none: chosen and printed",
          between(1, kMostSize));
  f.when("out", s.out.empty(), "without out", [&] {
    f.field("cores", s.cores, "cores at most, where modes are chosen", between(1, 6));
  });
  f.field("rank", s.rank, "rank of every bond, cut to what it can use; 0: by ranks or keep",
          between(0, kMostSize));
  f.field("ranks", s.ranks, "rank of each inner bond", between(1, kMostSize));
  keep_field(f, s.keep);
}

std::optional<SpecFault> fault_of(const RowTrainsSpec& spec) {
  const std::size_t cores = spec.out.size();
  if (!spec.ranks.empty() && spec.ranks.size() + 1 != cores) {
    return SpecFault{"ranks",
                     fmt::format("{} has {}, but out = {} has {} inner bonds", list_of(spec.ranks),
                                 spec.ranks.size(), list_of(spec.out), cores == 0 ? 0 : cores - 1)};
  }
  if (cores == 1) return std::nullopt;  // no bond
  return fault_of_size({{"rank", spec.rank != 0, fmt::format("{}", spec.rank)},
                        {"ranks", !spec.ranks.empty(), list_of(spec.ranks)},
                        {"keep", spec.keep != 0, fmt::format("{}", spec.keep)}},
                       spec.keep);
}

RowTrainsSpec resolved(const RowTrainsSpec& spec, const LinearShape& shape) {
  const TtmShape modes = modes_for(spec, shape);
  validate(modes, 1, shape.out);
  if (modes.padded_out() >= 2 * shape.out) {
    throw ConfigError(
        "row_trains: out modes {} multiply to {}, twice the layer's {} features or more",
        list_of(modes.out), modes.padded_out(), shape.out);
  }
  if (!spec.ranks.empty()) return row_trains_spec(with_ranks(modes.in, modes.out, spec.ranks));
  std::int64_t rank = std::max<std::int64_t>(1, spec.rank);
  if (spec.keep > 0) {
    check_budget(spec.keep, shape, shape.in * modes.num_parameters(), "row_trains of rank 1");
    rank = rank_for_budget(modes, weights_in_share(spec.keep, shape) / shape.in);
  }
  return row_trains_spec(clip_ranks(with_rank(modes.in, modes.out, rank)));
}

std::string describe(const RowTrainsSpec& spec) {
  return fmt::format("row_trains out {} ranks {}", list_of(spec.out), list_of(spec.ranks));
}

std::int64_t num_weights(const RowTrainsSpec& spec, const LinearShape& shape) {
  return shape.in * row_shape(spec).num_parameters();
}

double forward_flops(const RowTrainsSpec& spec, const LinearShape& shape, std::int64_t tokens) {
  return flops_of_weights(shape.in * shape.out, tokens) +
         flops_of_weights(products_of_row(row_shape(spec)), shape.in);
}

TtmShape row_shape(const RowTrainsSpec& spec) {
  return with_ranks(ones(spec.out.size()), spec.out, spec.ranks);
}

RowTrainsSpec row_trains_spec(const TtmShape& row) {
  return {.out = row.out, .ranks = {row.ranks.begin() + 1, row.ranks.end() - 1}};
}

std::vector<const Parameter*> declare_row_trains(const Scope& scope, const LinearShape& shape,
                                                 const RowTrainsSpec& spec, std::int64_t rows) {
  const TtmShape row = row_shape(spec);
  // An entry of W is a sum of prod R_k products of N factors.
  double variance = shape.weight_std * shape.weight_std;
  for (const std::int64_t rank : spec.ranks) variance /= static_cast<double>(rank);
  const Init init = Init::normal(std::pow(variance, 0.5 / static_cast<double>(row.num_cores())));
  std::vector<const Parameter*> cores;
  for (int k = 0; k < row.num_cores(); ++k) {
    const auto [left, one, out, right] = row.core_shape(k);
    cores.push_back(&scope.parameter(fmt::format("core{}", k + 1), {rows, left, out, right}, init));
  }
  return cores;
}

Tensor contracted_rows(const std::vector<Tensor>& cores, std::int64_t out) {
  const std::int64_t n = cores[0].dim(0);
  Tensor rows = cores[0];  // [N, J_1 .. J_k, R_k]
  for (std::size_t k = 0; k < cores.size(); ++k) {
    const Tensor& core = cores[k];
    if (k > 0) rows = matmul(rows, reshape(core, {n, core.dim(1), core.dim(2) * core.dim(3)}));
    rows = reshape(rows, {n, -1, core.dim(3)});
  }
  return contiguous(narrow(reshape(rows, {n, -1}), 1, 0, out));
}

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const RowTrainsSpec& spec, Split, const Sharing&) {
  return std::make_unique<RowTrains>(declare_row_trains(scope, shape, spec, shape.in),
                                     declare_bias(scope, shape), shape.out);
}

}  // namespace ty
