// The choice of the next token from its logits.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "core/base/random.h"
#include "core/data/tokenizer.h"

namespace ty {

// Which ids of a model a text may get.
struct TextIds {
  std::optional<std::int32_t> end = {};  // ends a text, and is not part of it
  // What every text has first, and as the last one of as many ids as were asked for.
  std::optional<std::int32_t> forced_first = {}, forced_last = {};
  std::vector<std::int32_t> none = {};  // have no text: never drawn
  // Nor are ids from here on: a model's table of tokens is often padded beyond its tokenizer's.
  std::int64_t size = std::numeric_limits<std::int64_t>::max();
};
TextIds text_ids(const Tokenizer& tokenizer);

// What is held against repetition.
struct RepetitionRules {
  // An id that would repeat a run of so many ids of its text is ruled out; 0: none is.
  std::int64_t no_repeat_ngram = 0;
  // Positive logits of ids that have occurred are divided by this, others multiplied (Keskar et
  // al., arXiv 1909.05858).
  double penalty = 1.0;
};

// Changes the logits [V] of what follows `ids`: those of ids that are ruled out become -inf.
void apply_rules(std::vector<float>& logits, std::span<const std::int32_t> ids, const TextIds& text,
                 const RepetitionRules& rules);

// Where a text of at most `most` new ids must have a certain one behind its first `made`: that one
// gets logit 0 (of logarithms of probabilities: it is certain), all others -inf.
void apply_forced(std::vector<float>& logits, std::int64_t made, std::int64_t most,
                  const TextIds& text);

struct SamplingOptions {
  std::int64_t max_tokens = 100;
  double temperature = 1.0;  // 0: always the most likely token
  std::int64_t top_k = 0;    // sample only from the k most likely tokens; 0: from all
  double top_p = 1.0;        // sample only from the fewest tokens with this total probability
  std::uint64_t seed = 0;
  RepetitionRules repetition = {};
};

// Draws one id from logits [V]; an id with logit -inf is never drawn: nothing, if all have it. The
// random number depends on (seed, position) alone.
std::optional<std::int32_t> sample_token(const std::vector<float>& logits,
                                         const SamplingOptions& options, std::int64_t position);

}  // namespace ty
