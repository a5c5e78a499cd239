// Builds the model of a job and its memory.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/io/file.h"
#include "launch/job/job_config.h"
#include "launch/process/failure.h"
#include "launch/run/device.h"
#include "launch/run/layout.h"
#include "models/huggingface/model_directory.h"
#include "parallel/data/gradient_reducer.h"

namespace ty {

// Throws DataError if the model of a directory has fewer token ids than the tokenizer.
void check_vocab(const ModelSpec& spec, const Path& directory, std::int64_t vocab);

// What only the data of a job tells about its model; 0: it does not.
struct DataSizes {
  std::int64_t vocab = 0;   // the tokenizer's
  std::int64_t labels = 0;  // of its task
};

// A job's model.from must name a model: a run's newest checkpoint changes while it runs. Throws
// ConfigError that names the checkpoint where it is a run. The first phase of a strategy cuts what
// is the newest; there model.from becomes that.
void resolve_model_path(JobConfig& job);

// The model that a job describes. Throws ConfigError or DataError if job, data and model directory
// disagree.
ModelSpec resolve_model(const JobConfig& job, const DataSizes& sizes);

// The same before any data is read: the vocabulary is the size that the job states. Also throws
// ConfigError if only the data can tell the size.
ModelSpec planned_model(const JobConfig& job);
// The same for purposes where any number of distinct characters in data.train will do.
ModelSpec declared_model(const JobConfig& job);

// Runs work on the model of a job file; errors in its directory become errors at model.from.
template <class Work>
auto at_model(const JobConfig& job, Work&& work) {
  return job.model.from.empty() ? work() : at_key("model.from", work);
}

// This rank's part of the job's model, its memory cut into buckets for the data ranks. Weights are
// not set.
OpenedModel make_model(const JobConfig& job, const ModelSpec& spec, Backend& backend,
                       const Layout& layout);

// Sets the initial weights of a job: drawn from its seed, or read from model.from as far as that
// has them. Returns the names of those that it has not: of the head, where that is for another
// task. A collective call.
std::vector<std::string> set_initial_weights(const JobConfig& job, OpenedModel& model,
                                             const Group& world = Group());

ReducerOptions reducer_options(const JobConfig& job);

}  // namespace ty
