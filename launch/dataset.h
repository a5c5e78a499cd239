// A job's tokenizer and token files, made once and kept in the run directory.
#pragma once

#include <memory>
#include <optional>

#include "core/data/sampler.h"
#include "core/data/token_file.h"
#include "core/data/tokenizer.h"
#include "launch/job_config.h"
#include "parallel/comm/communicator.h"

namespace ty {

struct Dataset {
  std::unique_ptr<Tokenizer> tokenizer;  // null if the data is token ids already
  Path tokenizer_directory;              // where it is saved; empty without one
  std::optional<TokenFile> train, valid;

  std::int64_t vocab() const { return tokenizer ? tokenizer->vocab_size() : 0; }
  std::uint64_t fingerprint() const { return tokenizer ? tokenizer->fingerprint() : 0; }
};

// Text becomes run_dir/data/{train,valid}.bin, the tokenizer run_dir/tokenizer; files that fit the
// present text and tokenizer are used again. One rank does the work, the others wait.
Dataset prepare_dataset(const JobConfig& job, const Group& world);

// The tokenizer of a model directory, checkpoint or run; null if it has none.
std::unique_ptr<Tokenizer> find_tokenizer(const Path& directory);

// Ids of a text file (or token file) for evaluation, in memory or mapped.
TokenFile open_for_evaluation(const Path& file, const Tokenizer* tokenizer, const Path& cache,
                              const DataSection& data, std::int64_t vocab);

}  // namespace ty
