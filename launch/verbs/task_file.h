// A file of a task's examples, as a verb's options and the run that a model is of describe it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/data/batch.h"
#include "core/io/file.h"
#include "launch/cli/arguments.h"
#include "launch/job/job_config.h"
#include "models/transformer/spec.h"

namespace ty {

struct TaskFile {
  DataSection data;
  TaskSection task;
  std::vector<std::string> labels;
};

// The job of the run that a model is of, or nothing known; `named` is the path that the user gave.
JobConfig job_around(const Path& named, const Path& directory);

// Of a model whose head gives one answer per sequence, or of one that writes texts from texts:
// which columns hold what is said by options, else by the job of the run that the model is of.
TaskFile task_file(const Arguments& arguments, const Path& named, const Path& directory,
                   const ModelSpec& spec);

// Its examples in order, as ids of at most `longest` or as patches; `ranks` share rows. Throws
// UsageError for a model without tokenizer, DataError for labels that it has not.
std::unique_ptr<Source> task_source(const TaskFile& file, const Path& path, const ModelSpec& spec,
                                    const Path& directory, std::int64_t longest, int ranks);

extern const OptionSpec kDatasetOption, kFirstOption, kSecondOption, kAnswerOption;

}  // namespace ty
