// `trainyard eval` of models of a task with examples: scores of labels and numbers, and the
// answers; of an encoder-decoder, how well it predicts the texts that it should write.
#pragma once

#include <string>

#include "core/base/dtype.h"
#include "launch/cli/arguments.h"
#include "launch/job/job_config.h"
#include "launch/process/world.h"
#include "launch/run/evaluation.h"
#include "launch/run/shared_model.h"

namespace ty {

// A model, as the user named it and where it lies, and the examples.
struct TaskPlace {
  Path named;  // a run or model directory
  Path directory;
  Path file;
};

struct TaskEvaluation {
  std::string dataset = {};        // of the examples, if it is a known one
  bool answers_are_texts = false;  // there are no answers and scores then
  std::int64_t peak_bytes = 0;
  std::size_t examples = 0;
  Evaluation result = {};  // scores: of the root alone
};

// Evaluates a model on the examples of a file. Which columns hold what is said by options, else by
// the job of the run that the model is of. With --generate a text is written for each, and scored.
// A collective call; the root writes --predictions.
TaskEvaluation evaluate_on(const Arguments& arguments, World& world, const TaskPlace& place,
                           DType dtype);
// The same for the verb's two words, printed.
ExitCode evaluate_task(const Arguments& arguments, World& world, const Path& directory,
                       DType dtype);

// The job of the run that a model is of, or nothing known.
JobConfig job_around(const Path& named, const Path& directory);

extern const OptionSpec kPredictionsOption;

}  // namespace ty
