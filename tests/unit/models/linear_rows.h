// The linear layers that are tested alike: one row per kind and variant, with and without a bias.
#pragma once

#include <string>
#include <vector>

#include "models/linear/bottleneck/bottleneck.h"
#include "models/linear/btt/btt.h"
#include "models/linear/cp/cp.h"
#include "models/linear/dense/dense.h"
#include "models/linear/kronecker/kronecker.h"
#include "models/linear/lax/lax.h"
#include "models/linear/lora/lora.h"
#include "models/linear/row_trains/row_trains.h"
#include "models/linear/scaled/scaled.h"
#include "models/linear/svd/svd.h"
#include "models/linear/ttm/ttm.h"
#include "models/linear/tucker/tucker.h"

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
      {"btt_rank", {12, 10}, BttSpec{.in = {3, 4}, .out = {2, 5}, .rank = 2}},
      {"btt_keep", {16, 24}, BttSpec{.keep = 0.6}},
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
      {"scaled_svd", {12, 10}, ScaledSpec{SvdSpec{.rank = 3}}},
      {"scaled_ttm", {12, 12}, ScaledSpec{TtmSpec{.rank = 3}}},
      {"bottleneck_dense", {12, 10}, BottleneckSpec{{.width = 4}}},
      {"bottleneck_svd", {12, 10}, BottleneckSpec{{.width = 3}, SvdSpec{.rank = 3}}},
      {"svd_silu", {12, 10}, SvdSpec{.rank = 3, .activation = UnaryOp::silu}},
      {"svd_gelu_scaled",
       {12, 10},
       ScaledSpec{SvdSpec{.rank = 4, .activation = UnaryOp::gelu_erf}}},
      {"lora_svd_silu",
       {12, 10},
       LoraSpec{{.rank = 2}, SvdSpec{.rank = 3, .activation = UnaryOp::silu}}},
      {"lax", {12, 10}, LaxSpec{SvdSpec{.rank = 3}}},
      {"lax_silu", {12, 10}, LaxSpec{SvdSpec{.rank = 3, .activation = UnaryOp::silu}}},
      {"lora_lax", {12, 12}, LoraSpec{{.rank = 2}, LaxSpec{SvdSpec{.rank = 3}}}},
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

}  // namespace ty::test
