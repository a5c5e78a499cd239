// The loss of a model on data that it is not trained on, and what it answers there.
#pragma once

#include <string>
#include <vector>

#include "core/data/token_file.h"
#include "models/objective/objective.h"
#include "models/transformer/model.h"
#include "parallel/comm/communicator.h"

namespace ty {

struct EvaluationOptions {
  std::int64_t sequence = 128;   // tokens per window, or about so many per example
  std::int64_t stride = 0;       // from window to window; 0: sequence, so that none overlap
  std::int64_t batch = 8;        // windows or examples at once
  std::int64_t most_tokens = 0;  // evaluates about so many tokens, in evenly spread windows; 0: all
  bool keep_answers = false;     // of models that have one answer per sequence
};

// What a model gave for each example, and what was right.
struct Answers {
  std::int64_t width = 0;        // numbers per example: scores of labels, or values
  std::vector<float> given;      // [examples, width]
  std::vector<double> expected;  // [examples]: labels or values

  std::size_t examples() const { return expected.size(); }
  // The label with the highest score, of each example.
  std::vector<std::int32_t> labels() const;
};

struct Score {
  std::string name;  // "accuracy"
  double value = 0;
};

struct Evaluation {
  double loss = 0;           // per target: nats, or squared distance of values
  double tokens = 0;         // targets
  double bits_per_byte = 0;  // 0 if the bytes of the text are not known
  std::vector<Score> scores = {};
  Answers answers = {};  // if they were to be kept
  double perplexity() const;
  // NaN if there is none of that name.
  double score(std::string_view name) const;
};

// What is evaluated: examples, a name for messages, and of a text how many tokens a byte has (0:
// unknown).
struct EvaluationSet {
  const Source& source;
  std::string name;
  double tokens_per_byte = 0;
};

// The number of sequences in the largest batch that one rank evaluates.
std::int64_t largest_batch(const TokenFile& file, const EvaluationOptions& options);
double tokens_per_byte(const TokenFile& file);

// Who evaluates together: the data ranks share the examples, the stages of a pipeline the model.
struct EvaluationRanks {
  Group data = {}, pipeline = {};
};

// All ranks receive the result. Throws NonFiniteError if the loss is not finite.
Evaluation evaluate(const Model& model, const Objective& objective, Backend& backend,
                    const EvaluationSet& set, const EvaluationOptions& options,
                    const EvaluationRanks& ranks = {});
// The same on the windows of a token file.
Evaluation evaluate(const Model& model, const Objective& objective, Backend& backend,
                    const TokenFile& file, const EvaluationOptions& options,
                    const EvaluationRanks& ranks = {});

}  // namespace ty
