// Everything one rank needs to take optimizer steps, built from a job in one place; the same for a
// real run, a benchmark and a plan.
#pragma once

#include <memory>

#include "launch/run/model_setup.h"
#include "launch/run/training_step.h"
#include "optim/optimizer.h"

namespace ty {

struct TrainingSetup {
  OpenedModel model;
  std::unique_ptr<Objective> objective;   // what is trained for
  std::unique_ptr<Objective> plain_loss;  // what is evaluated
  GradientReducer reducer;
  std::unique_ptr<Optimizer> optimizer;
  TrainingStep step;

  // Weights are uninitialised.
  TrainingSetup(const JobConfig& job, const ModelSpec& config, Backend& backend,
                const Layout& layout);
};

// Sequences [first, last) of a global batch that a data rank trains on.
Range share_of_batch(std::int64_t batch, const Group& data);
// Into how many parts a data rank cuts its sequences: for canonical sums every sequence is a part
// of its own.
std::int64_t micro_batches(const JobConfig& job, std::int64_t sequences);
// The sequences of the largest of them.
std::int64_t micro_batch_sequences(const JobConfig& job, int data_ranks);
// How often each example of a batch is run in a step (task.consistency).
int copies_of_examples(const JobConfig& job);

}  // namespace ty
