// What the command line of `generate` asks for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launch/cli/arguments.h"
#include "models/generation/beam_search.h"
#include "models/generation/generation.h"

namespace ty {

std::vector<OptionSpec> generate_option_specs();

struct GenerateOptions {
  std::vector<std::string> prompts;  // at least one; an empty one is the beginning of a document
  bool several = false;              // they are lines of a file
  SamplingOptions sampling;
  std::optional<BeamOptions> beams = {};  // instead of sampling
  bool slides = true;                     // past the context, the model sees the last ids only
  bool cached = true;

  std::int64_t max_tokens() const { return sampling.max_tokens; }
};

// Throws UsageError for options that exclude each other, IoError or DataError if the file of
// prompts cannot be read or is empty.
GenerateOptions generate_options(const Arguments& arguments);

// Throws UsageError unless each prompt and the tokens to be made fit the context.
void check_lengths(const std::vector<Ids>& prompts, std::int64_t max_tokens, std::int64_t context);

}  // namespace ty
