// Whole models of factorised layers and token tables: counts, gradients, tied tables.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "core/autograd/backward.h"
#include "core/nn/flat_parameters.h"
#include "core/ops/loss.h"
#include "core/ops/matmul.h"
#include "core/ops/shape.h"
#include "models/families/family.h"
#include "models/linear/dense/dense.h"
#include "models/linear/lax/lax.h"
#include "models/linear/row_trains/row_trains.h"
#include "models/linear/svd/svd.h"
#include "models/linear/ttm/ttm.h"
#include "models/linear/ttm/ttm_function.h"
#include "models/transformer/model.h"
#include "models/transformer/spec.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

std::int64_t count_medium(const std::vector<LinearRule>& rules) {
  const ModelSpec medium = {.layers = 24, .width = 1024, .heads = 16};
  return Model(describe_model(medium), LinearRules(rules)).parameters().count();
}

TEST(FactorisedGpt2, HasThePublishedParameterCounts) {
  EXPECT_EQ(count_medium({}), 354'823'168);
  EXPECT_EQ(count_medium({{"blocks.*.mlp.*", TtmSpec{.rank = 72}}}), 218'303'488);
  EXPECT_EQ(count_medium({{"blocks.{0..16}.mlp.*", SvdSpec{.rank = 50}}}), 220'920'832);
}

// V E + E C instead of V C: Lan et al. (ALBERT), arXiv 1909.11942, section 3.1.
TEST(FactorisedGpt2, HasATableOfTheSizeThatAlbertStates) {
  for (const bool tied : {true, false}) {
    const ModelSpec spec = {.layers = 1, .vocab = 30'000, .tied = tied};
    const auto count = [&](const std::vector<LinearRule>& rules) {
      return Model(describe_model(spec), LinearRules(rules)).parameters().count();
    };
    EXPECT_EQ(count({}) - count({{"embeddings.token", SvdSpec{.rank = 128}}}),
              23'040'000 - 3'938'304);
  }
}

// Vectors of 768 numbers as trains of rank 1 and modes that add up to 20 are 38.4 times smaller:
// arXiv 2307.00526.
TEST(FactorisedGpt2, HasVectorsOfTheSizeThatTensorGptStates) {
  const LinearShape table = {.in = 50'257, .out = 768};
  const RowTrainsSpec spec = {.out = {2, 4, 4, 4, 6}, .rank = 1};
  EXPECT_EQ(num_weights(resolved(spec, table), table), 50'257 * 20);
}

struct Case {
  std::string name;
  bool tied;
  std::vector<LinearRule> rules;
  bool is_bert = false;
};

class Tiny : public testing::Test {
 protected:
  static constexpr std::int64_t kVocab = 11;
  std::unique_ptr<Backend> backend_ = make_reference_backend();
  const Tensor ids_ = random_ids(*backend_, {2, 5}, 7);  // ids 7 .. 10 are never read
  const Tensor types_ = random_ids(*backend_, {2, 5}, 2, "types");
  const Batch batch_ = {.sequences = 2, .columns = {{Column::ids, ids_}, {Column::types, types_}}};
  const Tensor targets_ = random_ids(*backend_, {10}, kVocab, "targets");

  static ModelSpec spec_of(bool tied, bool is_bert) {
    ModelSpec spec = is_bert ? find_family("bert")->start : ModelSpec();
    spec.layers = 2;
    spec.width = 8;
    spec.heads = 2;
    spec.context = 6;
    spec.vocab = kVocab;
    spec.tied = tied;
    return spec;
  }
  struct Built {
    Built(Backend& backend, bool tied, const std::vector<LinearRule>& rules, bool is_bert = false)
        : model(describe_model(spec_of(tied, is_bert)), LinearRules(rules)),
          flat(model.parameters(), plan_flat_layout(model.parameters(), 1 << 20, 1), backend,
               {DType::f64, DType::f64}) {
      flat.initialise(4);
      backend.fill(flat.gradients().view(), 0.0);  // of a gate that nobody reads
      // Larger weights than at the start, so that no gradient is small by chance.
      backend.axpby(flat.model().view(), 0.0, flat.model().view(), 3.0);
    }
    const Tensor& value(const char* name) { return model.parameters().find(name)->value; }
    Model model;
    FlatParameters flat;
  };
  Tensor loss(const Model& model, Recompute recompute = Recompute::none) const {
    const Tensor logits =
        model.readout().logits(model.forward({.batch = batch_}, recompute).hidden);
    return cross_entropy(reshape(logits, {-1, kVocab}), targets_);
  }
  void differentiate(Built& built, Recompute recompute = Recompute::none) const {
    backward(loss(built.model, recompute), Tensor::full(*backend_, {1}, DType::f64, 1.0));
  }
};

class TinyFactorised : public Tiny, public testing::WithParamInterface<Case> {};
using TiedTable = Tiny;

TEST_P(TinyFactorised, GradientsEqualFiniteDifferences) {
  Built built(*backend_, GetParam().tied, GetParam().rules, GetParam().is_bert);
  differentiate(built);
  const auto loss_with = [&](const Tensor& at, double value) {
    const NoGrad no_grad;
    backend_->fill(at.view(), value);
    return loss(built.model).item();
  };
  for (const Parameter& p : built.model.parameters().all()) {
    const Tensor grad = grad_of(p.value);
    const auto gradient = grad.defined() ? doubles(grad) : std::vector<double>(p.value.numel());
    const Tensor flat =
        p.value.alias(contiguous_view(p.value.view().data, DType::f64, {p.value.numel()}));
    for (const std::int64_t i : {std::int64_t{0}, p.value.numel() / 2, p.value.numel() - 1}) {
      const Tensor at = flat.alias(flat.view().slice(0, i, 1));
      const double before = at.item(), step = 1e-5;
      const double above = loss_with(at, before + step), below = loss_with(at, before - step);
      loss_with(at, before);
      const double numeric = (above - below) / (2 * step);
      EXPECT_NEAR(gradient[static_cast<std::size_t>(i)], numeric,
                  1e-6 * std::max(1.0, std::abs(numeric)))
          << p.name << " element " << i;
    }
  }
}

TEST_P(TinyFactorised, RecomputationDoesNotChangeOneBit) {
  Built kept(*backend_, GetParam().tied, GetParam().rules, GetParam().is_bert);
  Built again(*backend_, GetParam().tied, GetParam().rules, GetParam().is_bert);
  differentiate(kept);
  differentiate(again, Recompute::block);
  EXPECT_EQ(doubles(kept.flat.gradients()), doubles(again.flat.gradients()));
}

std::vector<Case> cases() {
  const LinearSpec ttm = TtmSpec{.rank = 3}, svd = SvdSpec{.rank = 3};
  const LinearSpec trains = RowTrainsSpec{.out = {2, 2, 3}, .rank = 2};
  const LinearSpec padded = TtmSpec{.in = {3, 5}, .out = {2, 5}, .ranks = {3}};  // of [11, 8]
  const LinearSpec orthogonal = TtmSpec{.keep = 0.6, .init = FactorInit::orthogonal};
  return {{"ttm_tied", true, {{"blocks.*", ttm}}},
          {"ttm_untied", false, {{"*", ttm}}},
          {"ttm_orthogonal_untied", false, {{"*.*.*", orthogonal}, {"head.*", orthogonal}}},
          {"svd_tied", true, {{"*", svd}}},
          {"svd_untied", false, {{"*", svd}}},
          {"lax_tied", true, {{"blocks.*", LaxSpec{SvdSpec{.rank = 3}}}}},
          {"lax_silu_untied",
           false,
           {{"blocks.*", LaxSpec{SvdSpec{.rank = 3, .activation = UnaryOp::silu}}}}},
          {"mixed_tied", true, {{"*", svd}, {"*.mlp.*", ttm}, {"blocks.1.attn.*", DenseSpec{}}}},
          {"ttm_table_tied", true, {{"embeddings.token", padded}}},
          {"row_trains_tied", true, {{"embeddings.token", trains}}},
          {"row_trains_untied", false, {{"embeddings.token", trains}}},
          {"bert_svd_tied", true, {{"embeddings.token", svd}}, true},
          {"bert_svd_untied", false, {{"embeddings.token", svd}}, true},
          {"bert_ttm_tied", true, {{"embeddings.token", padded}}, true},
          {"bert_ttm_untied", false, {{"embeddings.token", padded}}, true}};
}
INSTANTIATE_TEST_SUITE_P(Every, TinyFactorised, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

// A table of cores gives the losses of the matrix that they stand for, and dense gradients of it
// that the cores share: <core, d core> is the same number for each (the gauge identity), tied or
// not.
TEST_F(TiedTable, OfCoresIsTheMatrixThatTheyStandFor) {
  const TtmSpec spec = {.in = {3, 2, 2}, .out = {2, 2, 3}, .ranks = {4, 3}};
  for (const bool tied : {true, false}) {
    Built train(*backend_, tied, {{"embeddings.token", spec}}), dense(*backend_, tied, {});
    std::vector<Tensor> cores;
    for (const char* name : {"core1", "core2", "core3"}) {
      cores.push_back(train.value((std::string("embeddings.token.") + name).c_str()).detach());
    }
    for (const Parameter& p : dense.model.parameters().all()) {
      if (const Parameter* same = train.model.parameters().find(p.name)) {
        backend_->copy(p.value.view(), same->value.view());
      }
    }
    const Tensor w = ttm_weight(cores, {shape_of(spec), kVocab, 8}, 1);
    backend_->copy(dense.value("embeddings.token.weight").view(), w.view());
    EXPECT_NEAR(loss(train.model).item(), loss(dense.model).item(), 1e-13);
    differentiate(train);
    differentiate(dense);
    const auto product = [](const std::vector<double>& a, const std::vector<double>& b) {
      return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    };
    const double wanted =
        product(doubles(w), doubles(grad_of(dense.value("embeddings.token.weight"))));
    EXPECT_GT(std::abs(wanted), 1e-3);
    for (const char* name :
         {"embeddings.token.core1", "embeddings.token.core2", "embeddings.token.core3"}) {
      const Tensor& core = train.value(name);
      EXPECT_NEAR(product(doubles(core), doubles(grad_of(core))), wanted, 1e-12) << name;
    }
  }
}

// With E = A B read twice, dA = (dE of the embedding + dE of the head) B^T, and dB alike. An untied
// model with E in both places has these two gradients apart.
TEST_F(TiedTable, GetsGradientsFromBothUses) {
  Built tied(*backend_, true, {{"embeddings.token", SvdSpec{.rank = 3}}}),
      apart(*backend_, false, {});
  const Tensor a = tied.value("embeddings.token.a").detach();
  const Tensor b = tied.value("embeddings.token.b").detach();
  const Tensor table = matmul(a, b);
  for (const Parameter& p : apart.model.parameters().all()) {
    if (const Parameter* same = tied.model.parameters().find(p.name)) {
      backend_->copy(p.value.view(), same->value.view());
    }
  }
  backend_->copy(apart.value("embeddings.token.weight").view(), table.view());
  backend_->copy(apart.value("head.linear.weight").view(), table.view().transpose(0, 1));
  differentiate(tied);
  differentiate(apart);

  const Tensor embedding = grad_of(apart.value("embeddings.token.weight"));
  const Tensor head = grad_of(apart.value("head.linear.weight"));
  const Tensor d_table = Tensor::empty_like(embedding);
  backend_->binary(BinaryOp::add, d_table.view(), embedding.view(), head.view().transpose(0, 1));
  const auto expect_product = [&](const char* name, const View& left, const View& right) {
    const Tensor product = Tensor::empty(*backend_, {left.shape[0], right.shape[1]}, DType::f64);
    backend_->gemm(product.view(), left, right, {});
    const auto got = doubles(grad_of(tied.value(name))), wanted = doubles(product);
    ASSERT_EQ(got.size(), wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], wanted[i], 1e-12) << name;
  };
  expect_product("embeddings.token.a", d_table.view(), b.view().transpose(0, 1));
  expect_product("embeddings.token.b", a.view().transpose(0, 1), d_table.view());
  // The embedding alone does not reach the last ids, the head does.
  EXPECT_EQ(doubles(embedding).back(), 0.0);
  EXPECT_NE(doubles(grad_of(tied.value("embeddings.token.a"))).back(), 0.0);
}
}  // namespace
}  // namespace ty::test
