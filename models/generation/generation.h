// Generates text, one token at a time, for a batch of prompts.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "models/generation/decoder.h"
#include "models/generation/sampling.h"

namespace ty {

// A new id of one of the prompts.
using OnToken = std::function<void(std::size_t prompt, std::int32_t id)>;

// Continues each prompt (of at least one id), or answers it where the model is an encoder-decoder,
// as if it were alone; a text stops before the end of text, or where the rules leave no id.
// on_token is called after each new id. Throws NonFiniteError if the model's output is not finite.
std::vector<Ids> generate(const Generator& generator, const TextIds& text,
                          const std::vector<Ids>& prompts, const SamplingOptions& options,
                          const OnToken& on_token = {});

}  // namespace ty
