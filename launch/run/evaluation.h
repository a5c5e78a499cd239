// Loss of a model on a token file.
#pragma once

#include "core/data/token_file.h"
#include "models/objective/objective.h"
#include "models/transformer/model.h"
#include "parallel/comm/communicator.h"

namespace ty {

struct EvaluationOptions {
  std::int64_t sequence = 128;
  std::int64_t batch = 8;
  std::int64_t most_tokens = 0;  // evenly spread windows of about so many tokens; 0: all
};

struct Evaluation {
  double loss = 0;  // nats per token
  double tokens = 0;
  double bits_per_byte = 0;  // 0 if the bytes of the text are not known
  double perplexity() const;
};

// Sequences of the largest batch of an evaluation by one rank.
std::int64_t largest_batch(const TokenFile& file, const EvaluationOptions& options);

// Ranks of `data` share the windows; all of them get the result. Throws NonFiniteError if the loss
// is none.
Evaluation evaluate(const Model& model, const Objective& objective, Backend& backend,
                    const TokenFile& file, const EvaluationOptions& options, const Group& data);

}  // namespace ty
