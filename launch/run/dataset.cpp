#include "launch/run/dataset.h"

#include <numeric>

#include "core/base/error.h"
#include "core/data/framing.h"
#include "core/data/tasks/examples.h"
#include "core/io/hash.h"
#include "launch/process/failure.h"
#include "launch/process/output.h"
#include "launch/run/masked_windows.h"
#include "launch/run/task_data.h"

namespace ty {

namespace {

using Json = nlohmann::json;

bool has_tokenizer(const JobConfig& job) {
  return job.tokenizer.kind.has_value() || !job.tokenizer.from.empty();
}

Path cached(const JobConfig& job, const char* name) { return job.run.dir / "data" / name; }

// Ids of a text that are to be written to a file.
TokenFile tokenized(const Path& text, const Path& target, const Tokenizer& tokenizer,
                    const TextOptions& options) {
  TextTokens tokens = tokenize_text(text, tokenizer, options);
  return {std::move(tokens.encoded.ids), tokens.info, target};
}

// The token file of this very text and tokenizer, if it is there and whole.
std::optional<TokenFile> stored_tokens(const Path& target, const TextIdentity& identity) {
  if (!std::filesystem::exists(target)) return std::nullopt;
  try {
    TokenFile file(target);
    if (identity_of(file.info()) != identity) return std::nullopt;
    file.check_ids(file.info().vocab);
    return file;
  } catch (const DataError&) {  // damaged: it is made again
    return std::nullopt;
  }
}

// The texts of data.train.
std::vector<std::string> documents_of(const JobConfig& job) {
  if (job.task.reads_windows()) {
    return read_text_documents(job.data.train, quietly(text_options(job.data)));
  }
  return texts_of(read_examples(job.data.train, example_format(job.data, job.task)));
}

std::unique_ptr<Tokenizer> learn(const JobConfig& job) {
  std::vector<std::string> documents;
  if (*job.tokenizer.kind != TokenizerKind::bytes) documents = documents_of(job);
  const std::vector<std::string_view> views(documents.begin(), documents.end());
  return make_tokenizer({.kind = *job.tokenizer.kind,
                         .vocab = job.tokenizer.vocab,
                         .lowercase = job.tokenizer.lowercase},
                        views);
}

// A model's weights mean the ids of the tokenizer that it was trained with.
void check_is_models(const JobConfig& job, const Tokenizer& tokenizer) {
  if (job.model.from.empty() || job.run.allow_changes) return;
  const auto own = find_tokenizer(job.model.from);
  if (own == nullptr || own->fingerprint() == tokenizer.fingerprint()) return;
  throw ConfigError(
      Key{"tokenizer"},
      "fingerprint {:016x}, but that of model.from ({}) is {:016x}; leave the section "
      "out "
      "to use the model's, or set run.allow_changes: true",
      tokenizer.fingerprint(), job.model.from.string(), own->fingerprint());
}

// What a learned tokenizer depends on.
Json origin_of(const JobConfig& job) {
  Json origin = {{"kind", name_of(*job.tokenizer.kind)}};
  if (*job.tokenizer.kind == TokenizerKind::bytes) return origin;
  origin["text"] = content_hash(MappedFile(job.data.train).bytes());
  origin["reader"] = fingerprint_of(text_options(job.data), job.data.train);
  if (job.tokenizer.learns_merges()) origin["vocab"] = job.tokenizer.vocab;
  if (*job.tokenizer.kind == TokenizerKind::wordpiece)
    origin["lowercase"] = job.tokenizer.lowercase;
  return origin;
}

}  // namespace

TextOptions text_options(const DataSection& data) {
  return {.json_key = data.text_key,
          .tsv_column = data.column,
          .tsv_header = data.header,
          .note = remark};
}

TextOptions quietly(TextOptions options) {
  options.note = nullptr;
  return options;
}

bool is_token_file(const Path& path) { return lower_extension(path) == ".bin"; }

PreparedData::PreparedData(const JobConfig& job, const RunDirectory& run)
    : directory_(job.run.dir) {
  if (job.data.train.empty()) {
    throw ConfigError(Key{"data.train"},
                      "missing; name a text file (.txt, .jsonl, .tsv) or token file");
  }
  if (has_tokenizer(job) && !job.task.reads_images()) prepare_tokenizer(job, run);
  job.task.reads_windows() ? prepare_windows(job) : prepare_examples(job);
}

DataSizes PreparedData::sizes() const {
  return {tokenizer_ ? tokenizer_->vocab_size() : 0, labels_};
}

namespace {

// The examples of a file; those of data.valid have the labels of data.train.
ExampleSet examples_of(const JobConfig& job, const char* key, const Path& file,
                       const std::vector<std::string>& labels,
                       const std::function<void(const std::string&)>& note) {
  ExampleFormat format = example_format(job.data, job.task);
  if (format.label_cells.empty()) format.label_cells = labels;
  return at_key(key, [&] { return read_examples(file, format, note); });
}

ImageSet images_of(const JobConfig& job, const char* key, const Path& file) {
  const ImageData& data = image_data_of(job.data);
  return at_key(key, [&] { return read_images(file, data); });
}

}  // namespace

void PreparedData::prepare_examples(const JobConfig& job) {
  if (job.task.reads_images()) {
    images_of(job, "data.train", job.data.train);
    if (!job.data.valid.empty()) images_of(job, "data.valid", job.data.valid);
    labels_ = std::ssize(known_labels(job));
    return;
  }
  if (!tokenizer_) {
    throw ConfigError(Key{"tokenizer.kind"}, "missing, but data.train {} is text",
                      job.data.train.string());
  }
  const ExampleSet train = examples_of(job, "data.train", job.data.train, {}, remark);
  labels_ = std::ssize(train.labels);
  if (!job.data.valid.empty()) {
    examples_of(job, "data.valid", job.data.valid, train.labels, remark);
  }
}

void PreparedData::prepare_windows(const JobConfig& job) {
  train_ =
      at_key("data.train", [&] { return prepare(job, job.data.train, "data.train", "train.bin"); });
  if (job.data.valid.empty()) return;
  valid_ =
      at_key("data.valid", [&] { return prepare(job, job.data.valid, "data.valid", "valid.bin"); });
}

void PreparedData::prepare_tokenizer(const JobConfig& job, const RunDirectory& run) {
  const Path directory = directory_ / "tokenizer";
  const bool is_there = std::filesystem::exists(directory / "tokenizer.json");
  const bool learned = job.tokenizer.from.empty();
  origin_ = learned ? origin_of(job) : Json{{"from", job.tokenizer.from.string()}};
  // A tokenizer that was learned belongs to its run: it must not change under a checkpoint.
  const bool is_kept =
      learned && is_there &&
      (run.newest().checkpoint || run.manifest().value("tokenizer", Json()) == origin_);
  if (is_kept) {
    tokenizer_ = load_tokenizer(directory);
    return;
  }
  tokenizer_ = learned
                   ? at_key("data.train", [&] { return learn(job); })
                   : at_key("tokenizer.from", [&] { return load_tokenizer(job.tokenizer.from); });
  tokenizer_is_new_ = true;
  check_is_models(job, *tokenizer_);
}

std::optional<PreparedData::Part> PreparedData::prepare(const JobConfig& job, const Path& file,
                                                        const char* key, const char* name) const {
  if (is_token_file(file)) {
    TokenFile tokens(file);
    tokens.check_tokenizer(fingerprint());
    return Part{file, std::move(tokens), Origin::given};
  }
  if (!tokenizer_) {
    throw ConfigError(Key{"tokenizer.kind"},
                      "missing, but {} {} is text; want bytes, chars, bpe or wordpiece", key,
                      file.string());
  }
  const Path target = cached(job, name);
  const TextOptions options = text_options(job.data);
  if (auto stored = stored_tokens(target, identity_of(file, options, *tokenizer_))) {
    return Part{target, std::move(*stored), Origin::stored};
  }
  return Part{target, tokenized(file, target, *tokenizer_, options), Origin::made};
}

void PreparedData::check(const ModelSpec& spec, std::int64_t sequence, std::uint64_t seed) const {
  if (!train_) return;
  for (const auto* part : {&train_, &valid_}) {
    if (*part && (*part)->origin == Origin::given) (*part)->tokens.check_ids(spec.vocab);
  }
  const Sampler sampler(train_->tokens.size(), sequence, seed);  // refuses what is too short
  if (valid_) (void)evaluation_windows(valid_->tokens, sequence);
}

void PreparedData::write() const {
  if (tokenizer_is_new_) tokenizer_->save(directory_ / "tokenizer");
  for (const auto* part : {&train_, &valid_}) {
    if (!*part || (*part)->origin != Origin::made) continue;
    std::filesystem::create_directories((*part)->file.parent_path());
    (*part)->tokens.write((*part)->file);
  }
}

namespace {

// What masked windows have around them: a model that is trained on texts between special tokens
// reads them so.
Frame frame_around(const JobConfig& job, const Tokenizer* tokenizer) {
  if (job.task.kind != TaskKind::masked_lm || tokenizer == nullptr) return {};
  const Frame frame = frame_of(*tokenizer);
  if (frame.size() < job.data.sequence) return frame;
  throw ConfigError(Key{"data.sequence"},
                    "got {}; {} special tokens stand around each window, want "
                    "at least {}",
                    job.data.sequence, frame.size(), frame.size() + 1);
}

void open_windows(Dataset& dataset, const JobConfig& job, const ModelSpec& spec) {
  const Frame frame = frame_around(job, dataset.tokenizer.get());
  const std::int64_t sequence = job.data.sequence - frame.size();
  const auto open = [&](const Path& file, const char* name) {
    return std::make_unique<TokenFile>(is_token_file(file) ? file : cached(job, name));
  };
  dataset.train_tokens = open(job.data.train, "train.bin");
  dataset.train =
      training_windows(*dataset.train_tokens, sequence, static_cast<std::uint64_t>(job.run.seed));
  if (!job.data.valid.empty()) {
    dataset.valid_tokens = open(job.data.valid, "valid.bin");
    dataset.valid = evaluation_windows(*dataset.valid_tokens, sequence);
  }
  if (job.task.kind != TaskKind::masked_lm) return;
  for (auto* source : {&dataset.train, &dataset.valid}) {
    if (*source == nullptr) continue;
    *source = masked_windows(std::move(*source), frame, hidden_tokens_of(job),
                             dataset.tokenizer.get(), spec);
  }
}

void open_images(Dataset& dataset, const JobConfig& job, const ModelSpec& spec) {
  const auto images = [&](const char* key, const Path& file) {
    ImageSet read = images_of(job, key, file);
    if (read.channels == spec.image.channels && read.height == spec.image.size) return read;
    throw ConfigError(Key{key}, "{} has images of {} x {} x {}; the model reads {} x {} x {}",
                      file.string(), read.channels, read.height, read.height, spec.image.channels,
                      spec.image.size, spec.image.size);
  };
  ImageOptions options = {.patch = spec.image.patch,
                          .mirror = job.data.mirror,
                          .seed = static_cast<std::uint64_t>(job.run.seed)};
  dataset.train = training_images(images("data.train", job.data.train), options);
  if (job.data.valid.empty()) return;
  dataset.valid = evaluation_images(images("data.valid", job.data.valid), options);
}

void open_examples(Dataset& dataset, const JobConfig& job, const ModelSpec& spec, int ranks) {
  const ExampleSet train = examples_of(job, "data.train", job.data.train, {}, {});
  dataset.labels = train.labels;
  const ExampleOptions options =
      example_options(spec, job.model.from, job.task, job.data, *dataset.tokenizer,
                      std::lcm<std::int64_t>(8, ranks));
  const auto encoded = [&](const ExampleSet& set) {
    return encode_examples(set, *dataset.tokenizer, job.data.sequence);
  };
  dataset.train =
      training_examples(encoded(train), options, static_cast<std::uint64_t>(job.run.seed));
  if (job.data.valid.empty()) return;
  dataset.valid = evaluation_examples(
      encoded(examples_of(job, "data.valid", job.data.valid, train.labels, {})), options);
}

}  // namespace

Dataset open_dataset(const JobConfig& job, const ModelSpec& spec, int ranks) {
  Dataset dataset;
  if (has_tokenizer(job) && !job.task.reads_images()) {
    dataset.tokenizer_directory = job.run.dir / "tokenizer";
    dataset.tokenizer = load_tokenizer(dataset.tokenizer_directory);
  }
  if (job.task.reads_windows()) {
    open_windows(dataset, job, spec);
  } else if (job.task.reads_images()) {
    open_images(dataset, job, spec);
    dataset.labels = known_labels(job);
  } else {
    open_examples(dataset, job, spec, ranks);
  }
  return dataset;
}

void adopt_model_tokenizer(JobConfig& job) {
  if (has_tokenizer(job) || job.model.from.empty()) return;
  if (find_tokenizer(job.model.from)) job.tokenizer.from = job.model.from;
}

std::unique_ptr<Tokenizer> find_tokenizer(const Path& directory) {
  return has_tokenizer_files(directory) ? load_tokenizer(directory) : nullptr;
}

TokenFile open_tokens(const Path& file, const Tokenizer* tokenizer, const TextOptions& options,
                      std::int64_t vocab) {
  if (is_token_file(file)) {
    TokenFile tokens(file);
    if (tokenizer != nullptr) tokens.check_tokenizer(tokenizer->fingerprint());
    tokens.check_ids(vocab);
    return tokens;
  }
  if (tokenizer == nullptr) {
    throw UsageError("{}: the model has no tokenizer; give a token file (.bin)", file.string());
  }
  TokenFile tokens = tokenized(file, file, *tokenizer, options);
  tokens.check_ids(vocab);
  return tokens;
}

}  // namespace ty
