// What tests of every linear layer run on.
#pragma once

#include <gtest/gtest.h>

#include "core/nn/flat_parameters.h"
#include "core/ops/elementwise.h"
#include "core/ops/matmul.h"
#include "models/linear/adapters.h"
#include "models/linear/base/linear.h"
#include "models/linear/kinds.h"
#include "models/linear/lora/lora.h"
#include "tests/support/parts.h"
#include "tests/support/tensors.h"
#include "tests/unit/models/linear_rows.h"

namespace ty::test {

// Of what starts at zero and would hide other gradients: random numbers, of which a rank has a
// part.
inline void fill_zeros(const ParameterStore& store, Backend& backend) {
  for (const char* name :
       {"layer.bias", "layer.scale", "layer.lora.b", "layer.lora.core2", "layer.lora.core3",
        "layer.bottleneck.down.bias", "layer.bottleneck.up.weight", "layer.bottleneck.up.bias"}) {
    const Parameter* p = store.find(name);
    if (p == nullptr) continue;
    const auto all = doubles(random_tensor(backend, p->whole(), name));
    const Tensor own = Tensor::from<double>(backend, p->shape, part_of(all, *p));
    backend.copy(p->value.view(), own.view());
  }
}

// Whether lengths of columns are trained apart: then the result is not linear in parameters, and
// what the adapter stands beside is taken for fixed.
inline bool is_dora(const LinearSpec& spec) {
  const auto* lora = spec.as<LoraSpec>();
  return lora != nullptr && lora->options.dora;
}

// What a bottleneck adapter makes of the h [N, out] that it reads, by the definition.
inline Tensor behind_bottleneck(const ParameterStore& store, const Tensor& h, UnaryOp activation) {
  const auto value = [&](const char* name) {
    return store.find(std::string("layer.bottleneck.") + name)->value.to(DType::f64);
  };
  const Tensor z = add(matmul(h, value("down.weight")), value("down.bias"));
  const Tensor change = matmul(ty::activation(activation, z), value("up.weight"));
  return add(h, add(change, value("up.bias")));
}

// The lax layer that it is or that an adapter stands beside; null: none.
inline const LaxSpec* lax_in(const LinearSpec& spec) {
  const LinearSpec* of = inner_of(spec);
  return of != nullptr ? lax_in(*of) : spec.as<LaxSpec>();
}

// Of a leaf; zeros of what nothing reads: the gate of a lax layer without a block before.
inline std::vector<double> gradient_of(const Tensor& leaf) {
  const Tensor gradient = grad_of(leaf);
  return gradient.defined() ? doubles(gradient)
                            : std::vector<double>(static_cast<std::size_t>(leaf.numel()), 0.0);
}

// A layer of one row.
class Contract : public testing::TestWithParam<std::tuple<std::string, LinearRow>> {
 protected:
  LinearRow row_ = std::get<1>(GetParam());
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
      for (const Parameter& p : store.all()) all.push_back(gradient_of(p.value));
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
  // What a layer is by the definition, in fp64: x W + b, and what is not linear.
  Tensor wanted(Map& layer, const Tensor& x) {
    const auto value = [&](const char* name) {
      return layer.store.find(name)->value.to(DType::f64);
    };
    const auto* bottleneck = row_.spec.as<BottleneckSpec>();
    if (bottleneck == nullptr && !is_one_matrix(row_.spec)) return wanted_of_svd(layer, x);
    const Tensor w = bottleneck == nullptr      ? layer.linear->dense_weight().to(DType::f64)
                     : is_dense(bottleneck->of) ? value("layer.weight")
                                                : matmul(value("layer.a"), value("layer.b"));
    Tensor y = matmul(x.to(DType::f64), w);
    if (layer.store.find("layer.bias") != nullptr) y = add(y, value("layer.bias"));
    return bottleneck == nullptr
               ? y
               : behind_bottleneck(layer.store, y, bottleneck->options.activation);
  }
  // (f((x . s) A) B + b) + x A' B' t, where there are a scale s and an adapter of weight t; of lax
  // without a block before.
  Tensor wanted_of_svd(Map& layer, const Tensor& x) {
    const auto value = [&](const char* name) {
      const Parameter* p = layer.store.find(name);
      return p == nullptr ? Tensor() : p->value.to(DType::f64);
    };
    const auto* lora = row_.spec.as<LoraSpec>();
    const auto* scaled = row_.spec.as<ScaledSpec>();
    const LinearSpec& of = scaled != nullptr ? scaled->of : lora != nullptr ? lora->of : row_.spec;
    const LaxSpec* lax = lax_in(row_.spec);
    const SvdSpec& svd = lax != nullptr ? lax->svd : *of.as<SvdSpec>();
    const Tensor x64 = x.to(DType::f64);
    const Tensor in = scaled == nullptr ? x64 : mul(x64, value("layer.scale"));
    const Tensor z = matmul(in, value("layer.a"));
    Tensor y = matmul(svd.activation ? activation(*svd.activation, z) : z, value("layer.b"));
    if (lora != nullptr) {
      const Tensor change = matmul(matmul(x64, value("layer.lora.a")), value("layer.lora.b"));
      y = add(y, scale(change, lora->options.scale()));
    }
    const Tensor bias = value("layer.bias");
    return bias.defined() ? add(y, bias) : y;
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
  std::int64_t live() const { return backend_->memory().stats().total_live; }
};

inline auto every_row() {
  return testing::Combine(testing::Values("reference", "cpu"), testing::ValuesIn(linear_rows()));
}
inline std::string name_of_row(const testing::TestParamInfo<Contract::ParamType>& test) {
  return std::get<0>(test.param) + "_" + std::get<1>(test.param).name;
}

}  // namespace ty::test
