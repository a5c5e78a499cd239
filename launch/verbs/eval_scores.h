// The part of `eval` for texts that a model has written: how near they are to references (ROUGE),
// and what other models judge of them (STA, SIM, FL, J).
#pragma once

#include <string>
#include <vector>

#include "launch/cli/arguments.h"
#include "launch/process/rank.h"
#include "launch/run/evaluation.h"

namespace ty {

// What texts are compared with; empty: not.
struct WrittenTexts {
  std::vector<std::string> written;
  std::vector<std::string> references;  // what should have been written
  std::vector<std::string> sources;     // what they were written from
};

// Whether the options ask for scores of a file of texts: `--predictions FILE` without a model, and
// `--references FILE` or a judge.
bool scores_files(const Arguments& arguments);
// Reads the files and prints their scores. Throws UsageError, DataError.
ExitCode score_files(const Arguments& arguments, DType dtype);

// The scores that the options ask for: ROUGE where there are references, and those of the judges.
// Throws UsageError for judges without a label, or without sources.
std::vector<Score> scores_of(const WrittenTexts& texts, const Arguments& arguments, DType dtype);

// --references, --sources, --stemmer and the judges.
std::vector<OptionSpec> score_options();

}  // namespace ty
