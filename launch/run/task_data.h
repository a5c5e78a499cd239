// The examples of jobs whose data is not one long text: read and encoded in memory, by each rank
// for itself.
#pragma once

#include <string>
#include <vector>

#include "core/data/tasks/example_source.h"
#include "core/data/tasks/examples.h"
#include "core/data/tasks/image_source.h"
#include "core/data/tokenizer.h"
#include "core/io/file.h"
#include "core/metrics/glue_score.h"
#include "launch/job/job_config.h"
#include "launch/run/evaluation.h"

namespace ty {

// Where a job's data has what: its data set's form, or the columns that it names.
ExampleFormat example_format(const DataSection& data, const TaskSection& task);
// The labels of a job as far as they are known before its data is read; empty if they are not.
std::vector<std::string> known_labels(const JobConfig& job);

// All texts of some examples, for a tokenizer that is learned from them.
std::vector<std::string> texts_of(const ExampleSet& set);

// Examples as ids, special tokens included, of at most `longest` ids each.
std::vector<TokenExample> encode_examples(const ExampleSet& set, const Tokenizer& tokenizer,
                                          std::int64_t longest);
// How they are padded for a model, and what its decoder reads first: as the directory says that the
// model comes from, or, if that is empty or silent, the end of text. `multiple`: of lengths.
ExampleOptions example_options(const ModelSpec& spec, const Path& directory,
                               const TaskSection& task, const DataSection& data,
                               const Tokenizer& tokenizer, std::int64_t multiple);

// The data set of a job's images. Throws ConfigError if it names none.
const ImageData& image_data_of(const DataSection& data);
// Labelled images of a data set: a file, or all training files in a directory. Throws DataError.
ImageSet read_images(const Path& path, const ImageData& data);

// The scores that a task has; none for language models.
std::vector<Metric> metrics_of(const TaskSection& task, const DataSection& data,
                               std::int64_t labels);
std::vector<Score> scores_of(const Answers& answers, std::span<const Metric> metrics);

}  // namespace ty
