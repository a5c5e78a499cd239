// The part of `eval --generate`: texts that a model writes for the examples of a file, and their
// scores.
#pragma once

#include <string>
#include <vector>

#include "launch/cli/arguments.h"
#include "launch/run/shared_model.h"
#include "launch/verbs/eval_scores.h"
#include "launch/verbs/task_file.h"

namespace ty {

// What an encoder-decoder writes for each example of a file, the examples' own answers and sources
// beside it. The options say how it searches; copies of the model share the examples, and the root
// shows progress. All ranks receive the result. Throws DataError as read_examples() does.
WrittenTexts write_answers(const Arguments& arguments, const SharedModel& shared, Backend& backend,
                           const Path& directory, const TaskFile& file, const Path& examples);

// --generate and how to search.
std::vector<OptionSpec> writing_options();

}  // namespace ty
