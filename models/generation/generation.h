// Generates text, one token at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/base/random.h"
#include "core/data/tokenizer.h"
#include "models/transformer/model.h"

namespace ty {

struct SamplingOptions {
  std::int64_t max_tokens = 100;
  double temperature = 1.0;  // 0: always the most likely token
  std::int64_t top_k = 0;    // sample only from the k most likely tokens; 0: from all
  double top_p = 1.0;        // sample only from the fewest tokens with this total probability
  std::uint64_t seed = 0;
};

// Draws one id from logits [V]; an id with logit -inf is never drawn. The random number depends on
// (seed, position) alone.
std::int32_t sample_token(const std::vector<float>& logits, const SamplingOptions& options,
                          std::int64_t position);

// Continues the prompt (at least one id); the model sees the last `context` ids. Draws only ids
// that have a text, and stops at the end of text, which is not included. on_token is called after
// each new id. The stages of a pipeline that share the model make the same call and get the same
// ids. Throws NonFiniteError if the model's output is not finite.
std::vector<std::int32_t> generate(const Model& model, Backend& backend, std::int64_t context,
                                   std::vector<std::int32_t> prompt, const SamplingOptions& options,
                                   const Tokenizer& tokenizer,
                                   const std::function<void(std::int32_t)>& on_token = {},
                                   const Group& pipeline = {});

}  // namespace ty
