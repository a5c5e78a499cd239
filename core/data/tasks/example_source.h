// Examples of a task as batches: token ids padded to one length, and what a model should answer.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/data/batch.h"
#include "core/data/tasks/examples.h"

namespace ty {

// One example as ids, special tokens included.
struct TokenExample {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> types = {};   // of each id
  std::vector<std::int32_t> target = {};  // ids that a decoder should write
  std::int32_t label = -1;
  double value = 0;
};

struct ExampleOptions {
  // Which column holds the answer: targets (a label, or the ids that a decoder should write, which
  // it reads one place later), values, or none.
  AnswerKind answer = AnswerKind::label;
  bool types = false;              // the column of types
  std::int32_t pad = 0;            // the id that fills up
  std::int32_t decoder_start = 0;  // what a decoder reads first
  std::int64_t longest = 0;        // no batch is padded beyond it
  std::int64_t multiple = 8;       // lengths are rounded up to one of these, as far as that goes
  std::int64_t batch = 1;          // examples of a step
};

// Training: example i is sample i of the run, in the order of EpochOrder. All sequences of a step
// have one length, whichever of them a rank asks for: so dropout draws the same numbers in any
// layout. Throws DataError if there are no examples.
std::unique_ptr<Source> training_examples(std::vector<TokenExample> examples,
                                          const ExampleOptions& options, std::uint64_t seed);

// Evaluation: in order; each batch is as long as its own longest sequence wants.
std::unique_ptr<Source> evaluation_examples(std::vector<TokenExample> examples,
                                            const ExampleOptions& options);

}  // namespace ty
