// The loss of a model on a token file.
#pragma once

#include "core/data/token_file.h"
#include "models/objective/objective.h"
#include "models/transformer/model.h"
#include "parallel/comm/communicator.h"

namespace ty {

struct EvaluationOptions {
  std::int64_t sequence = 128;
  std::int64_t batch = 8;
  std::int64_t most_tokens = 0;  // evaluates about so many tokens, in evenly spread windows; 0: all
};

struct Evaluation {
  double loss = 0;  // nats per token
  double tokens = 0;
  double bits_per_byte = 0;  // 0 if the bytes of the text are not known
  double perplexity() const;
};

// The number of sequences in the largest batch that one rank evaluates.
std::int64_t largest_batch(const TokenFile& file, const EvaluationOptions& options);

// Who evaluates together: the data ranks share the windows, the stages of a pipeline the model.
struct EvaluationRanks {
  Group data = {}, pipeline = {};
};

// All ranks receive the result. Throws NonFiniteError if the loss is not finite.
Evaluation evaluate(const Model& model, const Objective& objective, Backend& backend,
                    const TokenFile& file, const EvaluationOptions& options,
                    const EvaluationRanks& ranks = {});

}  // namespace ty
