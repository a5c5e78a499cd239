// What the command line of `generate` asks for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launch/cli/arguments.h"
#include "launch/run/text_generator.h"

namespace ty {

std::vector<OptionSpec> generate_option_specs();

// Those of them that find the most likely text: its length, which `most` names ("--tokens"), beams,
// and what may not repeat.
std::vector<OptionSpec> search_option_specs(const char* most);
// The method that they ask for, greedy without beams. Throws UsageError for what only beams have.
GenerationMethod search_method(const Arguments& arguments, const char* most);

struct GenerateOptions {
  std::vector<std::string> prompts;  // at least one; an empty one is the beginning of a document
  bool several = false;              // they are lines of a file
  GenerationMethod method;
  bool slides = true;  // what is too long for the model is not refused
  bool cached = true;

  std::int64_t max_tokens() const { return method.max_tokens(); }
};

// Throws UsageError for options that exclude each other, IoError or DataError if the file of
// prompts cannot be read or is empty.
GenerateOptions generate_options(const Arguments& arguments);

// Throws UsageError unless each prompt and the tokens to be made fit the context: together, or each
// alone where the model answers.
void check_lengths(const std::vector<Ids>& prompts, std::int64_t max_tokens, std::int64_t context,
                   bool answers);

}  // namespace ty
