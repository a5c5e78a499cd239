// What tests of every linear layer run on: one row per kind and variant.
#pragma once

#include <gtest/gtest.h>

#include "core/nn/flat_parameters.h"
#include "core/ops/elementwise.h"
#include "core/ops/matmul.h"
#include "models/linear/base/linear.h"
#include "models/linear/cp/cp.h"
#include "models/linear/dense/dense.h"
#include "models/linear/kronecker/kronecker.h"
#include "models/linear/lora/lora.h"
#include "models/linear/row_trains/row_trains.h"
#include "models/linear/svd/svd.h"
#include "models/linear/ttm/ttm.h"
#include "models/linear/tucker/tucker.h"
#include "tests/support/parts.h"
#include "tests/support/tensors.h"

namespace ty::test {

struct LinearRow {
  std::string name;
  LinearShape shape;
  LinearSpec spec;
};

inline std::vector<LinearRow> linear_rows() {
  const auto modes = [](std::vector<std::int64_t> in, std::vector<std::int64_t> out,
                        std::vector<std::int64_t> ranks) {
    return TtmSpec{.in = std::move(in), .out = std::move(out), .ranks = std::move(ranks)};
  };
  TtmSpec orthogonal = modes({2, 3, 2}, {2, 1, 5}, {3, 4});
  orthogonal.init = FactorInit::orthogonal;
  std::vector<LinearRow> kinds = {
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
      {"row_trains_rank", {12, 10}, RowTrainsSpec{.out = {2, 5}, .rank = 2}},
      {"row_trains_padded", {7, 9}, RowTrainsSpec{.out = {3, 2, 2}, .ranks = {3, 2}}},
      {"row_trains_keep", {12, 16}, RowTrainsSpec{.keep = 0.8}},
      {"svd_rank", {12, 10}, SvdSpec{.rank = 3}},
      {"svd_keep", {12, 10}, SvdSpec{.keep = 0.5}},
      {"lora_dense", {12, 10}, LoraSpec{{.rank = 3, .alpha = 6}}},
      {"lora_svd", {12, 10}, LoraSpec{{.rank = 2, .alpha = 3, .rslora = true}, SvdSpec{.rank = 3}}},
      {"lora_ttm", {12, 12}, LoraSpec{{.rank = 2}, TtmSpec{.rank = 3}}},
      {"lora_of_q_and_v",
       {.in = 12, .out = 36, .heads = 6},
       LoraSpec{{.rank = 2, .parts = {"q", "v"}}}},
      {"dora_dense", {12, 10}, LoraSpec{{.rank = 3, .alpha = 6, .dora = true}}},
      {"dora_svd", {12, 10}, LoraSpec{{.rank = 2, .dora = true}, SvdSpec{.rank = 3}}},
      {"dora_ttm", {12, 12}, LoraSpec{{.rank = 2, .dora = true}, TtmSpec{.rank = 3}}},
      {"dora_of_q_and_v",
       {.in = 12, .out = 36, .heads = 6},
       LoraSpec{{.rank = 2, .dora = true, .parts = {"q", "v"}}}},
      {"tt_lora", {12, 12}, LoraSpec{{.rank = 2, .cores = 3}}},
      {"tt_lora_svd", {12, 10}, LoraSpec{{.rank = 3, .cores = 2}, SvdSpec{.rank = 3}}},
      {"svd_orthogonal", {12, 10}, SvdSpec{.rank = 4, .init = FactorInit::orthogonal}},
  };
  std::vector<LinearRow> result;
  for (const LinearRow& row : kinds) {
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

// Of what starts at zero and would hide other gradients: random numbers, of which a rank has a
// part.
inline void fill_zeros(const ParameterStore& store, Backend& backend) {
  for (const char* name : {"layer.bias", "layer.lora.b", "layer.lora.core2", "layer.lora.core3"}) {
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
  std::int64_t live() const { return backend_->memory().stats().total_live; }
};

inline auto every_row() {
  return testing::Combine(testing::Values("reference", "cpu"), testing::ValuesIn(linear_rows()));
}
inline std::string name_of_row(const testing::TestParamInfo<Contract::ParamType>& test) {
  return std::get<0>(test.param) + "_" + std::get<1>(test.param).name;
}

}  // namespace ty::test
