// A job's tokenizer and ids: made once, kept in the run directory, made again when what they were
// made from has changed.
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

// By its name: token ids, not text.
bool is_token_file(const Path& path);

// The data of a job in memory, before anything of it is written; rank 0 only.
class PreparedData {
 public:
  // What the run directory holds already is used if it was made from the same text by the same
  // tokenizer; in a run that has checkpoints the tokenizer never changes. Throws ConfigError or
  // DataError for a job without usable data.
  PreparedData(const JobConfig& job, const RunDirectory& run);

  std::int64_t vocab() const { return tokenizer_ ? tokenizer_->vocab_size() : 0; }
  std::uint64_t fingerprint() const { return tokenizer_ ? tokenizer_->fingerprint() : 0; }
  // Throws DataError for ids that are not below the model's vocabulary, and for texts with room for
  // no window.
  void check(std::int64_t vocab, std::int64_t sequence, std::uint64_t seed) const;
  // Writes what is new into the run directory.
  void write() const;
  // What the tokenizer was made from, for the run's manifest; null without one.
  const nlohmann::json& tokenizer_origin() const { return origin_; }

 private:
  // given: the job's own token file; stored: the run's; made: ids that are to be written.
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

// The data of a run whose directory has been written.
Dataset open_dataset(const JobConfig& job);

// How a job's texts are read; what the content of a file decides instead is said on stderr.
TextOptions text_options(const DataSection& data);
// The same without a word on stderr, for a second reading.
TextOptions quietly(TextOptions options);

// A job that starts from a model and states no tokenizer uses the model's, if that has one.
void adopt_model_tokenizer(JobConfig& job);

// The tokenizer of a model directory, checkpoint or run; null if it has none.
std::unique_ptr<Tokenizer> find_tokenizer(const Path& directory);

// Ids of a text file or token file, checked against tokenizer and vocabulary; a text's are kept in
// memory. Throws UsageError for a text without a tokenizer.
TokenFile open_tokens(const Path& file, const Tokenizer* tokenizer, const TextOptions& options,
                      std::int64_t vocab);

}  // namespace ty
