// What every linear layer must do, whatever it is made of: one row per kind and variant.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/autograd/gradcheck.h"
#include "core/autograd/replay.h"
#include "core/base/error.h"
#include "core/nn/flat_parameters.h"
#include "core/ops/elementwise.h"
#include "core/ops/matmul.h"
#include "core/ops/shape.h"
#include "models/huggingface/linear_format.h"
#include "models/linear/base/linear.h"
#include "models/linear/cp/cp.h"
#include "models/linear/dense/dense.h"
#include "models/linear/kinds.h"
#include "models/linear/kronecker/kronecker.h"
#include "models/linear/lora/lora.h"
#include "models/linear/svd/svd.h"
#include "models/linear/ttm/ttm.h"
#include "models/linear/tucker/tucker.h"
#include "parallel/comm/threads/threads.h"
#include "tests/support/messages.h"
#include "tests/support/parts.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

struct Row {
  std::string name;
  LinearShape shape;
  LinearSpec spec;
};

std::vector<Row> rows() {
  const auto modes = [](std::vector<std::int64_t> in, std::vector<std::int64_t> out,
                        std::vector<std::int64_t> ranks) {
    return TtmSpec{.in = std::move(in), .out = std::move(out), .ranks = std::move(ranks)};
  };
  TtmSpec orthogonal = modes({2, 3, 2}, {2, 1, 5}, {3, 4});
  orthogonal.init = FactorInit::orthogonal;
  std::vector<Row> kinds = {
      {"dense", {12, 10}, DenseSpec{}},
      {"ttm_automatic", {12, 10}, TtmSpec{.rank = 3}},
      {"ttm_keep", {16, 16}, TtmSpec{.keep = 0.4}},
      {"ttm_explicit", {12, 10}, modes({2, 3, 2}, {2, 1, 5}, {3, 4})},
      {"ttm_padded", {11, 9}, modes({3, 2, 2}, {5, 2, 1}, {3, 2})},
      {"ttm_one_core", {12, 10}, modes({12}, {10}, {})},
      {"ttm_four_cores", {12, 8}, modes({2, 3, 1, 2}, {2, 1, 2, 2}, {2, 5, 3})},
      {"ttm_two_cores", {12, 10}, modes({3, 4}, {5, 2}, {3})},
      {"ttm_orthogonal", {12, 10}, orthogonal},
      {"kronecker_terms", {12, 10}, KroneckerSpec{.in = {3, 4}, .out = {5, 2}, .terms = 3}},
      {"kronecker_keep", {12, 10}, KroneckerSpec{.keep = 0.5, .init = FactorInit::orthogonal}},
      {"cp_terms", {12, 10}, CpSpec{.in = {2, 3, 2}, .out = {2, 1, 5}, .terms = 4}},
      {"cp_padded", {11, 9}, CpSpec{.in = {3, 2, 2}, .out = {5, 2, 1}, .terms = 3}},
      {"cp_keep", {16, 16}, CpSpec{.keep = 0.4}},
      {"tucker_rank", {12, 10}, TuckerSpec{.in = {2, 3, 2}, .out = {2, 1, 5}, .rank = 3}},
      {"tucker_ranks", {11, 9}, TuckerSpec{.in = {3, 2, 2}, .out = {5, 2, 1}, .ranks = {4, 3, 2}}},
      {"tucker_keep", {16, 16}, TuckerSpec{.keep = 0.6}},
      {"svd_rank", {12, 10}, SvdSpec{.rank = 3}},
      {"svd_keep", {12, 10}, SvdSpec{.keep = 0.5}},
      {"lora_dense", {12, 10}, LoraSpec{{.rank = 3, .alpha = 6}}},
      {"lora_svd", {12, 10}, LoraSpec{{.rank = 2, .alpha = 3, .rslora = true}, SvdSpec{.rank = 3}}},
      {"lora_ttm", {12, 12}, LoraSpec{{.rank = 2}, TtmSpec{.rank = 3}}},
      {"lora_of_q_and_v",
       {.in = 12, .out = 36, .heads = 6},
       LoraSpec{{.rank = 2, .parts = {"q", "v"}}}},
      {"svd_orthogonal", {12, 10}, SvdSpec{.rank = 4, .init = FactorInit::orthogonal}},
  };
  std::vector<Row> result;
  for (const Row& row : kinds) {
    for (const bool bias : {true, false}) {
      result.push_back({row.name + (bias ? "" : "_without_bias"),
                        {.in = row.shape.in,
                         .out = row.shape.out,
                         .bias = bias,
                         .weight_std = 0.5,
                         .heads = row.shape.heads},
                        resolved(row.spec, row.shape)});
    }
  }
  return result;
}

// Whether the layer runs with a core that it makes from its parameters.
bool makes_a_core(const LinearSpec& spec) {
  return spec.as<CpSpec>() != nullptr || spec.as<TuckerSpec>() != nullptr;
}

// Whether each of so many ranks can hold a part of the layer.
bool has_parts(const Row& row, Split split, int ranks) {
  const auto can = [&](const auto* spec) {
    return spec == nullptr || obstacle_to(*spec, row.shape, split, ranks).empty();
  };
  return can(row.spec.as<TtmSpec>()) && can(row.spec.as<KroneckerSpec>()) &&
         can(row.spec.as<CpSpec>()) && can(row.spec.as<TuckerSpec>());
}

// Of what starts at zero and would hide other gradients: random numbers, of which a rank has a
// part.
void fill_zeros(const ParameterStore& store, Backend& backend) {
  for (const char* name : {"layer.bias", "layer.lora.b"}) {
    const Parameter* p = store.find(name);
    if (p == nullptr) continue;
    const auto all = doubles(random_tensor(backend, p->whole(), name));
    const Tensor own = Tensor::from<double>(backend, p->shape, part_of(all, *p));
    backend.copy(p->value.view(), own.view());
  }
}

class Contract : public testing::TestWithParam<std::tuple<std::string, Row>> {
 protected:
  Row row_ = std::get<1>(GetParam());
  std::unique_ptr<Backend> backend_ =
      std::get<0>(GetParam()) == "cpu" ? make_cpu_backend() : make_reference_backend();
  const std::int64_t in_ = row_.shape.in, out_ = row_.shape.out;

  // A layer with memory; the bias is not zero.
  struct Map {
    ParameterStore store;
    std::unique_ptr<Linear> linear;
    std::unique_ptr<FlatParameters> flat;

    std::vector<std::vector<double>> gradients() const {
      std::vector<std::vector<double>> all;
      for (const Parameter& p : store.all()) all.push_back(doubles(grad_of(p.value)));
      return all;
    }
  };
  std::unique_ptr<Map> make(DType dtype = DType::f64) {
    auto layer = std::make_unique<Map>();
    layer->linear =
        make_linear(Scope(layer->store, "layer"), row_.shape, row_.spec, Split::none, {});
    layer->flat =
        std::make_unique<FlatParameters>(layer->store, plan_flat_layout(layer->store, 1 << 20, 1),
                                         *backend_, FlatOptions{dtype, dtype});
    layer->flat->initialise(3);
    fill_zeros(layer->store, *backend_);
    return layer;
  }
  Tensor input(const Shape& shape, DType dtype = DType::f64) {
    return random_tensor(*backend_, shape, "x", dtype);
  }
  // x W + b in fp64, by the definition.
  Tensor wanted(Map& layer, const Tensor& x) {
    Tensor y = matmul(x.to(DType::f64), layer.linear->dense_weight().to(DType::f64));
    const Parameter* bias = layer.store.find("layer.bias");
    return bias != nullptr ? add(y, bias->value.to(DType::f64)) : y;
  }
  static double largest(const std::vector<double>& values) {
    double most = 0;
    for (const double value : values) most = std::max(most, std::abs(value));
    return most;
  }
  static double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
    double worst = a.size() == b.size() ? 0.0 : 1e300;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      worst = std::max(worst, std::abs(a[i] - b[i]));
    }
    return worst;
  }
  void expect_shared(Split split, const Sharing& sharing);
  std::int64_t live() const { return backend_->memory().stats().total_live; }
};

TEST_P(Contract, OutputIsTheInputTimesTheDenseWeightPlusTheBias) {
  const NoGrad no_grad;
  for (const auto& [dtype, tolerance] :
       {std::pair{DType::f64, 1e-10}, std::pair{DType::f32, 1e-5}, std::pair{DType::bf16, 0.03}}) {
    const auto layer = make(dtype);
    const Tensor x = input({2, 3, in_}, dtype);
    for (const bool in_step : {false, true}) {
      if (in_step) layer->linear->begin_step();
      const Tensor y = layer->linear->forward(x);
      EXPECT_EQ(y.shape(), (Shape{2, 3, out_}));
      EXPECT_EQ(y.dtype(), dtype);
      const auto expected = doubles(wanted(*layer, x));
      EXPECT_LT(largest_difference(doubles(y), expected), tolerance * largest(expected))
          << name_of(dtype) << " in step " << in_step;
      if (in_step) layer->linear->end_step();
    }
  }
}

TEST_P(Contract, GradientsEqualFiniteDifferences) {
  const auto layer = make();
  for (const bool in_step : {false, true}) {
    layer->flat->clear_gradients();
    const Tensor x = make_leaf(input({4, in_}));
    const Tensor dy = random_tensor(*backend_, {4, out_}, "dy");
    if (in_step) layer->linear->begin_step();
    backward(layer->linear->forward(x), dy, {.release_shared = true});
    if (in_step) layer->linear->end_step();

    // The layer is linear in every parameter and in x, so a large step has no error but rounding.
    const auto loss = [&] {
      const NoGrad no_grad;
      const auto y = doubles(layer->linear->forward(x)), weights = doubles(dy);
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * weights[i];
      return sum;
    };
    const auto check = [&](const Tensor& values, const std::string& name) {
      const auto gradient = doubles(grad_of(values));
      for (std::int64_t i = 0; i < values.numel(); ++i) {
        const View at =
            contiguous_view(values.view().data, DType::f64, {values.numel()}).slice(0, i, 1);
        const double before = values.alias(at).item();
        backend_->fill(at, before + 0.5);
        const double above = loss();
        backend_->fill(at, before - 0.5);
        const double below = loss();
        backend_->fill(at, before);
        ASSERT_NEAR(gradient[static_cast<std::size_t>(i)], above - below, 1e-9)
            << name << " element " << i << " in step " << in_step;
      }
    };
    for (const Parameter& p : layer->store.all()) check(p.value, p.name);
    check(x, "x");
  }
}

TEST_P(Contract, HasTheWeightsItSays) {
  ParameterStore store;
  make_linear(Scope(store, "layer"), row_.shape, row_.spec, Split::none, {});
  EXPECT_EQ(store.count(),
            num_weights(row_.spec, row_.shape) + (row_.shape.bias ? row_.shape.out : 0));
  for (const Parameter& p : store.all()) EXPECT_TRUE(p.name.starts_with("layer.")) << p.name;
}

// But an adapter: the r numbers per token between its factors, and what its parts spread to.
TEST_P(Contract, KeepsItsInputAndNoIntermediateResult) {
  const auto layer = make();
  std::int64_t kept = 0;
  if (const auto* lora = row_.spec.as<LoraSpec>()) {
    const std::int64_t parts = std::ssize(lora->options.parts);
    const std::int64_t width = std::max<std::int64_t>(1, parts) * lora->options.rank;
    kept = 8 * width * (6 + (parts > 0 ? out_ : 0));
  }
  const Tensor x = make_leaf(input({6, in_}));
  const std::int64_t before = live();
  Tensor y = layer->linear->forward(x);
  const std::int64_t more = live() - before - static_cast<std::int64_t>(y.view().bytes());
  if (makes_a_core(row_.spec)) {
    // That core, and one copy of what it is made of; W has as many weights at most.
    EXPECT_LE(more, 2 * layer->linear->dense_weight().numel() * 8);
  } else {
    EXPECT_EQ(more, kept);
  }
  backward(y, random_tensor(*backend_, {6, out_}, "dy"));
  y = Tensor();
  EXPECT_EQ(live() - before, static_cast<std::int64_t>(x.view().bytes()));  // its gradient
}

TEST_P(Contract, RecomputationDoesNotChangeOneBit) {
  for (const bool in_step : {false, true}) {
    const auto layer = make();
    const auto run = [&](bool recomputed) {
      layer->flat->clear_gradients();
      if (in_step) layer->linear->begin_step();
      const Tensor x = make_leaf(input({5, in_}));
      const auto fn = [&](std::span<const Tensor> in) {
        return activation(UnaryOp::gelu_tanh, layer->linear->forward(in[0]));
      };
      const Tensor h = scale(x, 1.5);
      const Tensor y = recomputed ? recompute(fn, {h}) : fn(std::span(&h, 1));
      backward(y, random_tensor(*backend_, {5, out_}, "dy"), {.release_shared = true});
      auto all = layer->gradients();
      all.push_back(doubles(grad_of(x)));
      all.push_back(doubles(y));
      if (in_step) layer->linear->end_step();
      return all;
    };
    EXPECT_EQ(run(true), run(false)) << "in step " << in_step;
  }
}

TEST_P(Contract, AnEmptyBatchGivesZeroGradients) {
  const auto layer = make();
  const Tensor x = make_leaf(input({0, in_}));
  const Tensor y = layer->linear->forward(x);
  EXPECT_EQ(y.shape(), (Shape{0, out_}));
  backward(y, random_tensor(*backend_, {0, out_}, "dy"));
  for (const auto& gradient : layer->gradients()) EXPECT_EQ(largest(gradient), 0.0);
  EXPECT_EQ(grad_of(x).shape(), (Shape{0, in_}));
}

TEST_P(Contract, TakesAnInputWhoseElementsLieApart) {
  const auto layer = make();
  const auto run = [&](bool apart) {
    layer->flat->clear_gradients();
    const Tensor x = make_leaf(input({in_, 7}));
    const Tensor turned = permute(x, {1, 0});
    const Tensor y = layer->linear->forward(apart ? turned : contiguous(turned));
    backward(y, random_tensor(*backend_, {7, out_}, "dy"));
    auto all = layer->gradients();
    all.push_back(doubles(grad_of(x)));
    all.push_back(doubles(y));
    return all;
  };
  EXPECT_EQ(run(true), run(false));
}

TEST_P(Contract, TakesAConstantInput) {
  const auto layer = make();
  const Tensor dy = random_tensor(*backend_, {5, out_}, "dy");
  backward(layer->linear->forward(input({5, in_})), dy);
  const auto constant = layer->gradients();
  layer->flat->clear_gradients();
  backward(layer->linear->forward(make_leaf(input({5, in_}))), dy);
  EXPECT_EQ(layer->gradients(), constant);
}

TEST_P(Contract, ResolvingAgainChangesNothing) {
  EXPECT_EQ(resolved(row_.spec, row_.shape), row_.spec);
}

TEST_P(Contract, IsStoredAsJsonAndReadBack) {
  const nlohmann::json config = {{"trainyard_linear", {{"layer", linear_spec_to_json(row_.spec)}}}};
  EXPECT_EQ(linear_rules_from_json(config, "config.json").at(0).spec, row_.spec);
}

// A part of a matrix, for a rank: own rows or own columns, as even as can be.
Tensor own_part_of(const Tensor& whole, int dim, const Group& ranks) {
  const std::int64_t size = whole.dim(dim), n = ranks.size();
  const std::int64_t first = size * ranks.rank() / n, last = size * (ranks.rank() + 1) / n;
  return whole.alias(whole.view().slice(dim, first, last - first)).contiguous();
}

// Result, gradient of the input and gradients of all parameters are those of the layer on one rank,
// once what is partial over the ranks is summed.
void Contract::expect_shared(Split split, const Sharing& sharing) {
  const auto whole = make();
  const Tensor x = make_leaf(input({6, in_}));
  const Tensor dy = random_tensor(*backend_, {6, out_}, "dy");
  const Tensor y = whole->linear->forward(x);
  backward(y, dy);

  Map own;
  own.linear = make_linear(Scope(own.store, "layer").placing(placed_outside(sharing)), row_.shape,
                           row_.spec, split, sharing);
  own.flat = std::make_unique<FlatParameters>(own.store, plan_flat_layout(own.store, 1 << 20, 1),
                                              *backend_, FlatOptions{DType::f64, DType::f64});
  own.flat->initialise(3);
  fill_zeros(own.store, *backend_);
  const auto outside = [&](const Tensor& t) {
    if (sharing.columns) return own_part_of(t, 1, sharing.tensor);
    return sharing.rows ? own_part_of(t, 0, sharing.tensor) : t.detach();
  };
  const auto inside = [&](const Tensor& t) { return own_part_of(t, 1, sharing.tensor); };
  const bool out = split == Split::out;
  const Tensor own_x = make_leaf(out ? outside(x) : inside(x));
  const Tensor own_y = own.linear->forward(own_x);
  const auto wanted_y = doubles(out ? inside(y) : outside(y));
  EXPECT_LT(largest_difference(doubles(own_y), wanted_y), 1e-10);
  backward(own_y, out ? inside(dy) : outside(dy));
  const auto wanted_dx = doubles(out ? outside(grad_of(x)) : inside(grad_of(x)));
  EXPECT_LT(largest_difference(doubles(grad_of(own_x)), wanted_dx), 1e-10);
  for (const Parameter& p : own.store.all()) {
    const Tensor gradient = grad_of(p.value);
    if (p.placement.partial.has(Axis::tensor)) {
      sharing.tensor.all_reduce(gradient.view(), ReduceOp::sum).wait();
    }
    const auto all = doubles(grad_of(whole->store.find(p.name)->value));
    EXPECT_LT(largest_difference(doubles(gradient), part_of(all, p)), 1e-9) << p.name;
  }
}

TEST_P(Contract, RanksShareIt) {
  for (const int ranks : {2, 3}) {
    for (const Split split : {Split::out, Split::in}) {
      for (const bool rows : {false, true}) {
        for (const auto layout : {LinearLayout::split, LinearLayout::whole}) {
          const bool is_whole = layout == LinearLayout::whole;
          SCOPED_TRACE(fmt::format("{} ranks, {}, own rows {}, whole {}", ranks,
                                   split == Split::out ? "out" : "in", rows, is_whole));
          const std::int64_t inside = split == Split::out ? out_ : in_;
          const auto share = [&] {
            run_ranks(ranks, [&](const Group& group) {
              expect_shared(split, {.tensor = group, .rows = rows, .layout = layout});
            });
          };
          const bool is_even = inside % ranks == 0 || (split == Split::out && !rows);
          if (is_whole ? is_even : has_parts(row_, split, ranks)) {
            share();
          } else {
            const std::string refused = message_of<ConfigError>(share);
            EXPECT_TRUE(refused.starts_with(
                fmt::format("layout: {} over {} ranks: ", is_whole ? "whole" : "split", ranks)))
                << refused;
          }
        }
      }
    }
  }
}

// Between own columns outside too: svd layers hidden, others gather them.
TEST_P(Contract, RanksWithOwnColumnsShareIt) {
  for (const int ranks : {2, 3}) {
    if (in_ % ranks != 0 || out_ % ranks != 0) continue;
    for (const Split split : {Split::out, Split::in}) {
      SCOPED_TRACE(fmt::format("{} ranks, {}", ranks, split == Split::out ? "out" : "in"));
      const auto share = [&] {
        run_ranks(ranks, [&](const Group& group) {
          expect_shared(split, {.tensor = group, .columns = true});
        });
      };
      if (row_.spec.as<LoraSpec>() != nullptr) {
        EXPECT_EQ(message_of<ConfigError>(share),
                  "layer: lora layers are not shared where another layer is hidden");
        continue;
      }
      if (has_parts(row_, split, ranks)) {
        share();
      } else {
        EXPECT_TRUE(message_of<ConfigError>(share).starts_with(
            fmt::format("layout: auto over {} ranks where another layer is hidden: ", ranks)));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Every, Contract,
                         testing::Combine(testing::Values("reference", "cpu"),
                                          testing::ValuesIn(rows())),
                         [](const auto& test) {
                           return std::get<0>(test.param) + "_" + std::get<1>(test.param).name;
                         });

}  // namespace
}  // namespace ty::test
