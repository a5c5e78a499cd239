// Windows of a text as a masked language model reads them: between the special tokens of its
// tokenizer, with some tokens hidden.
#pragma once

#include <memory>

#include "core/data/framing.h"
#include "core/data/tokenizer.h"
#include "launch/job/job_config.h"
#include "models/transformer/spec.h"

namespace ty {

// Which tokens are hidden.
struct HiddenTokens {
  double rate = 0.15;
  bool whole_words = false;
  std::uint64_t seed = 0;
};
HiddenTokens hidden_tokens_of(const JobConfig& job);

// `windows` in their frame, with tokens hidden that are the targets: a function of (seed, window).
// Throws ConfigError for a tokenizer without a token that hides others, or none.
std::unique_ptr<Source> masked_windows(std::unique_ptr<Source> windows, const Frame& frame,
                                       const HiddenTokens& hidden, const Tokenizer* tokenizer,
                                       const ModelSpec& spec);

}  // namespace ty
