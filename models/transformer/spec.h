// A transformer as data: sizes, switches and linear layers. Families differ in which of these they
// set, and in how they are stored (models/families).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/backend/backend.h"
#include "models/linear/rules.h"
#include "models/transformer/block.h"

namespace ty {

// Probabilities with which numbers are dropped in training.
struct DropoutRates {
  double embedding = 0.0;  // of token and position vectors together
  double attention = 0.0;  // of attention probabilities
  double residual = 0.0;   // of what attention and MLP add

  static DropoutRates all(double p) { return {p, p, p}; }
};

// Learned positions, blocks of causal attention and MLP with a norm before each, and a head that
// may share the token table (Radford et al., 2019).
struct ModelSpec {
  std::string family = "gpt2";  // a row of models/families
  std::int64_t layers = 12;
  std::int64_t width = 768;     // C
  std::int64_t heads = 12;      // H
  std::int64_t inner = 0;       // F; 0 means 4 C
  std::int64_t context = 1024;  // longest sequence
  std::int64_t vocab = 50257;   // V
  DropoutRates dropout = {};
  bool tied = true;  // the head reads the token table
  UnaryOp activation = UnaryOp::gelu_tanh;
  double norm_epsilon = 1e-5;
  bool scale_by_width = true;           // attention scores are divided by sqrt(C / H)
  bool scale_by_depth = false;          // and by the number of their block, from 1
  std::vector<LinearRule> linear = {};  // what its linear layers are made of
  std::string public_keys = {};         // the config.json it was read from, if any: JSON text

  // F.
  std::int64_t inner_width() const { return inner == 0 ? 4 * width : inner; }
};

// "embeddings", "blocks.0" .. "blocks.L-1", "head". Throws ConfigError if sizes do not fit
// together.
ModelDescription describe_model(const ModelSpec& spec);

}  // namespace ty
