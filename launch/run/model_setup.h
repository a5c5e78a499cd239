// From a job to a model with memory.
#pragma once

#include <memory>

#include "core/io/file.h"
#include "launch/job/job_config.h"
#include "launch/process/failure.h"
#include "launch/run/layout.h"
#include "models/huggingface/model_directory.h"
#include "parallel/data/gradient_reducer.h"

namespace ty {

// Throws ConfigError if the device is not to be had.
void check_device(DeviceChoice device);
// A job's backend; throws as check_device() does. A canonical order of
// reductions wants products whose bits do not depend on the number of threads.
std::unique_ptr<Backend> make_backend(DeviceChoice device, Reduction reduction = Reduction::fast);

// Throws DataError if a model's directory has fewer token ids than a tokenizer.
void check_vocab(const ModelSpec& spec, const Path& directory, std::int64_t vocab);

// The architecture a job asks for. `vocab` is the tokenizer's; 0 if there is none. Throws
// ConfigError or DataError if job, tokenizer and model directory disagree.
ModelSpec resolve_model(const JobConfig& job, std::int64_t vocab);

// The same before any data is read: the tokenizer's size is what the job asks for. Throws
// ConfigError too where only the data can tell.
ModelSpec planned_model(const JobConfig& job);
// The same where any number of characters of data.train will do.
ModelSpec declared_model(const JobConfig& job);

// Runs work on the model of a job file; what is wrong with its directory is wrong at model.from.
template <class Work>
auto at_model(const JobConfig& job, Work&& work) {
  return job.model.from.empty() ? work() : at_key("model.from", work);
}

// This rank's part of the job's model, its memory cut into buckets for the data ranks. Weights are
// not set.
OpenedModel make_model(const JobConfig& job, const ModelSpec& spec, Backend& backend,
                       const Layout& layout);

// Initial weights of a job: drawn from its seed, or read from model.from.
void set_initial_weights(const JobConfig& job, OpenedModel& model);

ReducerOptions reducer_options(const JobConfig& job);

}  // namespace ty
