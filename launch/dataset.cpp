#include "launch/dataset.h"

#include "core/base/error.h"
#include "core/data/corpus.h"

namespace ty {

namespace {

bool is_token_file(const Path& path) { return path.extension() == ".bin"; }

TextOptions text_options(const DataSection& data) {
  return {.json_key = data.text_key, .tsv_column = data.column};
}

// Makes `target` from a text unless it is there already.
void tokenize(const Path& text, const Path& target, const Tokenizer& tokenizer,
              const DataSection& data) {
  if (is_token_file_of(target, text, tokenizer)) return;
  make_token_file(text, target, tokenizer, text_options(data));
}

void make_tokenizer_directory(const JobConfig& job, const Path& directory) {
  std::unique_ptr<Tokenizer> tokenizer;
  if (!job.tokenizer.from.empty()) {
    tokenizer = load_tokenizer(job.tokenizer.from);
  } else {
    // A tokenizer that is there belongs to this run: it must not change under a checkpoint.
    if (std::filesystem::exists(directory / "tokenizer.json")) return;
    std::vector<std::string> documents;
    if (*job.tokenizer.kind != TokenizerKind::bytes) {
      documents = read_text_documents(job.data.train, text_options(job.data));
    }
    const std::vector<std::string_view> views(documents.begin(), documents.end());
    tokenizer = make_tokenizer({.kind = *job.tokenizer.kind, .vocab = job.tokenizer.vocab}, views);
  }
  std::filesystem::create_directories(directory);
  tokenizer->save(directory);
}

}  // namespace

Dataset prepare_dataset(const JobConfig& job, const Group& world) {
  if (job.data.train.empty()) {
    throw ConfigError("data.train: missing; name a text file (.txt, .jsonl, .tsv) or token file");
  }
  const Path cache = job.run.dir / "data";
  Dataset dataset;
  const bool has_tokenizer = job.tokenizer.kind.has_value() || !job.tokenizer.from.empty();
  if (has_tokenizer) dataset.tokenizer_directory = job.run.dir / "tokenizer";
  const auto token_path = [&](const Path& file, const char* name) {
    return is_token_file(file) ? file : cache / name;
  };

  std::string error;
  ExitCode code = ExitCode::ok;
  if (world.rank() == 0) {
    try {
      std::filesystem::create_directories(cache);
      if (has_tokenizer) make_tokenizer_directory(job, dataset.tokenizer_directory);
      for (const auto& [file, name] :
           {std::pair{job.data.train, "train.bin"}, {job.data.valid, "valid.bin"}}) {
        if (file.empty() || is_token_file(file)) continue;
        if (!has_tokenizer) {
          throw ConfigError("tokenizer.kind: missing, but {} is text; want bytes, chars or bpe",
                            file.string());
        }
        tokenize(file, cache / name, *load_tokenizer(dataset.tokenizer_directory), job.data);
      }
    } catch (const Error& e) {
      error = e.what();
      code = e.code();
    }
  }
  error = world.all_gather_text(error)[0];
  code = static_cast<ExitCode>(world.all_reduce(static_cast<double>(code), ReduceOp::max));
  if (!error.empty()) throw Error(code, error);

  if (has_tokenizer) dataset.tokenizer = load_tokenizer(dataset.tokenizer_directory);
  dataset.train.emplace(token_path(job.data.train, "train.bin"), dataset.vocab());
  if (!job.data.valid.empty()) {
    dataset.valid.emplace(token_path(job.data.valid, "valid.bin"), dataset.vocab());
  }
  return dataset;
}

std::unique_ptr<Tokenizer> find_tokenizer(const Path& directory) {
  for (const char* name : {"tokenizer.json", "vocab.json"}) {
    if (std::filesystem::exists(directory / name)) return load_tokenizer(directory);
  }
  return nullptr;
}

TokenFile open_for_evaluation(const Path& file, const Tokenizer* tokenizer, const Path& cache,
                              const DataSection& data, std::int64_t vocab) {
  if (is_token_file(file)) return TokenFile(file, vocab);
  if (tokenizer == nullptr) {
    throw UsageError("{}: the model has no tokenizer; give a token file (.bin)", file.string());
  }
  tokenize(file, cache, *tokenizer, data);
  return TokenFile(cache, vocab);
}

}  // namespace ty
