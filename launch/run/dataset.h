// A job's tokenizer and token ids: made once, stored in the run directory, and made again when
// their sources have changed.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/data/corpus.h"
#include "core/data/sampler.h"
#include "core/data/token_file.h"
#include "core/data/tokenizer.h"
#include "launch/job/job_config.h"
#include "launch/run/run_directory.h"

namespace ty {

// Whether a file holds token ids rather than text, by its name.
bool is_token_file(const Path& path);

// The data of a job in memory, before any of it is written; rank 0 only.
class PreparedData {
 public:
  // Reuses what the run directory already holds if it was made from the same text with the same
  // tokenizer; the tokenizer of a run that has checkpoints never changes. Throws ConfigError or
  // DataError for a job without usable data.
  PreparedData(const JobConfig& job, const RunDirectory& run);

  std::int64_t vocab() const { return tokenizer_ ? tokenizer_->vocab_size() : 0; }
  std::uint64_t fingerprint() const { return tokenizer_ ? tokenizer_->fingerprint() : 0; }
  // Throws DataError for ids that are not below the model's vocabulary, and for texts too short for
  // one window.
  void check(std::int64_t vocab, std::int64_t sequence, std::uint64_t seed) const;
  // Writes what is new into the run directory.
  void write() const;
  // What the tokenizer was made from, for the manifest of the run; null without a tokenizer.
  const nlohmann::json& tokenizer_origin() const { return origin_; }

 private:
  // given: the job's own token file; stored: the run's; made: new ids, to be written.
  enum class Origin : std::uint8_t { given, stored, made };
  struct Part {
    Path file;  // that the ranks will read
    TokenFile tokens;
    Origin origin;
  };
  void prepare_tokenizer(const JobConfig& job, const RunDirectory& run);
  std::optional<Part> prepare(const JobConfig& job, const Path& file, const char* key,
                              const char* name) const;

  Path directory_;
  std::unique_ptr<Tokenizer> tokenizer_;  // null: the data is ids already
  bool tokenizer_is_new_ = false;
  nlohmann::json origin_;
  std::optional<Part> train_, valid_;
};

struct Dataset {
  std::unique_ptr<Tokenizer> tokenizer;  // null if the data is token ids already
  Path tokenizer_directory;              // where it is saved; empty without one
  std::optional<TokenFile> train, valid;

  std::uint64_t fingerprint() const { return tokenizer ? tokenizer->fingerprint() : 0; }
};

// Opens the data of a run whose directory has been written.
Dataset open_dataset(const JobConfig& job);

// How a job's texts are read; decisions taken from the content of a file are reported on stderr.
TextOptions text_options(const DataSection& data);
// The same without these reports, for reading a file a second time.
TextOptions quietly(TextOptions options);

// Makes a job that starts from a model and states no tokenizer use the model's, if it has one.
void adopt_model_tokenizer(JobConfig& job);

// The tokenizer of a model directory, checkpoint or run; null if it has none.
std::unique_ptr<Tokenizer> find_tokenizer(const Path& directory);

// The ids of a text or token file, checked against tokenizer and vocabulary; those of a text are
// kept in memory. Throws UsageError for a text without a tokenizer.
TokenFile open_tokens(const Path& file, const Tokenizer* tokenizer, const TextOptions& options,
                      std::int64_t vocab);

}  // namespace ty
