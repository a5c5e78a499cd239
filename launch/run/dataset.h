// A job's tokenizer and data. Token ids of texts that are cut into windows are made once, stored in
// the run directory, and made again when their sources have changed; examples of tasks are read by
// every rank (task_data.h).
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/data/corpus.h"
#include "core/data/sampler.h"
#include "core/data/token_file.h"
#include "core/data/tokenizer.h"
#include "launch/job/job_config.h"
#include "launch/run/model_setup.h"
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

  DataSizes sizes() const;
  std::uint64_t fingerprint() const { return tokenizer_ ? tokenizer_->fingerprint() : 0; }
  // Throws DataError for ids that are not below the model's vocabulary, and for texts too short for
  // one window.
  void check(const ModelSpec& spec, std::int64_t sequence, std::uint64_t seed) const;
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
  void prepare_windows(const JobConfig& job);
  // Finds out whether the files can be read, and how many labels they have.
  void prepare_examples(const JobConfig& job);
  std::optional<Part> prepare(const JobConfig& job, const Path& file, const char* key,
                              const char* name) const;

  Path directory_;
  std::unique_ptr<Tokenizer> tokenizer_;  // null: the data is ids already
  bool tokenizer_is_new_ = false;
  nlohmann::json origin_;
  std::optional<Part> train_, valid_;
  std::int64_t labels_ = 0;
};

struct Dataset {
  std::unique_ptr<Tokenizer> tokenizer;  // null if the data is token ids already
  Path tokenizer_directory;              // where it is saved; empty without one
  // Of texts that are cut into windows, which refer to them.
  std::unique_ptr<TokenFile> train_tokens, valid_tokens;
  std::unique_ptr<Source> train, valid;  // valid: null if the job has none
  std::vector<std::string> labels;       // of tasks that have them

  std::uint64_t fingerprint() const { return tokenizer ? tokenizer->fingerprint() : 0; }
};

// Opens the data of a run whose directory has been written, for the job's model; `ranks` share
// rows.
Dataset open_dataset(const JobConfig& job, const ModelSpec& spec, int ranks);

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
