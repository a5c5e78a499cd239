// What every linear layer must do, whatever it is made of.
#include "tests/unit/models/linear_contract.h"

#include <nlohmann/json.hpp>

#include "core/autograd/gradcheck.h"
#include "core/autograd/replay.h"
#include "core/ops/shape.h"
#include "models/huggingface/linear_format.h"
#include "models/linear/kinds.h"

namespace ty::test {
namespace {

INSTANTIATE_TEST_SUITE_P(Every, Contract, every_row(), name_of_row);

// Whether the layer runs with a core that it makes from its parameters.
bool makes_a_core(const LinearSpec& spec) {
  return spec.as<CpSpec>() != nullptr || spec.as<TuckerSpec>() != nullptr;
}

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

    // The layer is linear in every parameter and in x, so a large step has no error but rounding;
    // but with dora, an activation inside or behind a bottleneck.
    const bool is_linear = !is_dora(row_.spec) && is_one_matrix(row_.spec);
    const double step = is_linear ? 0.5 : 1e-4, tolerance = is_linear ? 1e-9 : 1e-5;
    const auto loss = [&] {
      const NoGrad no_grad;
      const auto y = doubles(layer->linear->forward(x)), weights = doubles(dy);
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * weights[i];
      return sum;
    };
    const auto check = [&](const Tensor& values, const std::string& name) {
      const auto gradient = gradient_of(values);
      for (std::int64_t i = 0; i < values.numel(); ++i) {
        const View at =
            contiguous_view(values.view().data, DType::f64, {values.numel()}).slice(0, i, 1);
        const double before = values.alias(at).item();
        backend_->fill(at, before + step);
        const double above = loss();
        backend_->fill(at, before - step);
        const double below = loss();
        backend_->fill(at, before);
        const double slope = (above - below) / (2 * step);
        ASSERT_NEAR(gradient[static_cast<std::size_t>(i)], slope, tolerance)
            << name << " element " << i << " in step " << in_step;
      }
    };
    for (const Parameter& p : layer->store.all()) {
      const bool is_fixed = is_dora(row_.spec) && !is_adapter(p.name) && p.name != "layer.bias";
      if (!is_fixed) check(p.value, p.name);
    }
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

// But an adapter: the r numbers per token between its factors, and what its parts spread to; or
// the scaled input; the latent of lax, before and after a function; what a bottleneck reads, and
// its narrow numbers before and after their function.
TEST_P(Contract, KeepsItsInputAndNoIntermediateResult) {
  const auto layer = make();
  std::int64_t kept = 0;
  if (const auto* lora = row_.spec.as<LoraSpec>()) {
    const std::int64_t parts = std::ssize(lora->options.parts);
    const std::int64_t width = std::max<std::int64_t>(1, parts) * lora->options.rank;
    if (lora->options.cores == 0) kept = 8 * width * (6 + (parts > 0 ? out_ : 0));
  }
  if (const LaxSpec* lax = lax_in(row_.spec)) {
    kept += 8 * 6 * lax->svd.rank * (lax->svd.activation ? 2 : 1);
  }
  if (row_.spec.as<ScaledSpec>() != nullptr) kept = 8 * 6 * in_;
  if (const auto* bottleneck = row_.spec.as<BottleneckSpec>()) {
    kept = 8 * 6 * (out_ + 2 * bottleneck->options.width);
  }
  const Tensor x = make_leaf(input({6, in_}));
  const std::int64_t before = live();
  Tensor y = layer->linear->forward(x);
  const std::int64_t more = live() - before - static_cast<std::int64_t>(y.view().bytes());
  if (makes_a_core(row_.spec)) {
    // That core, and one copy of what it is made of; W has as many weights at most.
    EXPECT_LE(more, 2 * layer->linear->dense_weight().numel() * 8);
  } else if (row_.spec.as<RowTrainsSpec>() != nullptr) {
    // W, and its rows on the way there.
    EXPECT_LE(more, 3 * layer->linear->dense_weight().numel() * 8);
  } else if (is_dora(row_.spec)) {
    // The result before its columns are stretched, and numbers of the size of the adapter.
    EXPECT_LE(more, 8 * 6 * out_ + 12 * 8 * num_weights(row_.spec, row_.shape));
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

}  // namespace
}  // namespace ty::test
