#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/stopwatch.h"
#include "core/data/corpus.h"
#include "launch/inspect/inspection.h"
#include "launch/job/limits.h"
#include "launch/process/output.h"
#include "launch/report/progress.h"
#include "launch/report/text.h"
#include "launch/run/dataset.h"
#include "launch/verbs/text_arguments.h"
#include "launch/verbs/verbs.h"

namespace ty {

namespace {

using Json = nlohmann::json;

constexpr double kShowEvery = 0.5;  // seconds
constexpr const char* kVocabUnused = "--vocab: only used with --kind bpe or wordpiece";

// The kind and size that --kind and --vocab ask for.
TokenizerSpec spec_of(const Arguments& arguments) {
  const std::string wanted = arguments.text("--kind", "");
  if (wanted.empty()) throw UsageError("--kind: missing; want bytes, chars, bpe or wordpiece");
  const TokenizerKind kind =
      *std::find_if(std::begin(kTokenizerKinds), std::end(kTokenizerKinds),
                    [&](TokenizerKind each) { return name_of(each) == wanted; });
  const bool cased = arguments.flag("--cased");
  if (cased && kind != TokenizerKind::wordpiece) {
    throw UsageError("--cased: only used with --kind wordpiece");
  }
  if (kind == TokenizerKind::bytes || kind == TokenizerKind::chars) {
    if (arguments.flag("--vocab")) throw UsageError(kVocabUnused);
    return {.kind = kind, .vocab = 0};
  }
  if (!arguments.flag("--vocab")) {
    throw UsageError("--vocab: missing; --kind {} wants the number of ids, as in --vocab 1024",
                     wanted);
  }
  return {.kind = kind, .vocab = arguments.integer("--vocab", 0), .lowercase = !cased};
}

// Says on stderr what was learned from a text.
std::unique_ptr<Tokenizer> learn(const Path& input, const TextOptions& options,
                                 const TokenizerSpec& spec) {
  const Stopwatch watch;
  const std::vector<std::string> documents = read_text_documents(input, options);
  const std::vector<std::string_view> views(documents.begin(), documents.end());
  remark(fmt::format("learning a {} tokenizer from {} document{}", name_of(spec.kind),
                     human_count(static_cast<double>(views.size())), views.size() == 1 ? "" : "s"));
  auto tokenizer = make_tokenizer(spec, views);
  remark(fmt::format("  {} ids in {:.1f} s{}", tokenizer->vocab_size(), watch.seconds(),
                     tokenizer->vocab_size() < spec.vocab
                         ? fmt::format(" (asked for {}; the text has no more pairs)", spec.vocab)
                         : ""));
  return tokenizer;
}

// Ids are worth nothing without their tokenizer, so another one is never overwritten.
void save_tokenizer(const Tokenizer& tokenizer, const Path& directory) {
  const auto there = find_tokenizer(directory);
  if (there == nullptr) {
    tokenizer.save(directory);
  } else if (there->fingerprint() != tokenizer.fingerprint()) {
    throw UsageError(
        "{}: holds another tokenizer ({:016x}, this one is {:016x}); name another directory",
        directory.string(), there->fingerprint(), tokenizer.fingerprint());
  }
}

std::unique_ptr<Tokenizer> tokenizer_for(const Arguments& arguments, const Path& input,
                                         const Path& output) {
  const bool given = arguments.flag("--tokenizer");
  if (given == arguments.flag("--kind")) {
    throw UsageError(
        "data tokenize: wants one of --tokenizer DIR and --kind KIND (bytes, "
        "chars, bpe or wordpiece)");
  }
  if (given && arguments.flag("--vocab")) throw UsageError(kVocabUnused);
  auto tokenizer = given ? load_tokenizer(arguments.text("--tokenizer", ""))
                         : learn(input, quietly(text_options(arguments)), spec_of(arguments));
  const Path beside = output.parent_path() / "tokenizer";
  if (!given || arguments.flag("--save-tokenizer")) {
    save_tokenizer(*tokenizer, arguments.text("--save-tokenizer", beside.string()));
  }
  return tokenizer;
}

CorpusProgress on_stderr(ProgressLine& line, const Stopwatch& watch) {
  double shown = 0;
  return [&line, watch, shown](std::int64_t done, std::int64_t all) mutable {
    const double seconds = watch.seconds();
    if (seconds - shown < kShowEvery) return;
    shown = seconds;
    const auto d = static_cast<double>(done), a = static_cast<double>(all);
    line.show(fmt::format("tokenizing  {} of {}  {:3.0f} %  {}/s  left {}", human_bytes(d),
                          human_bytes(a), 100 * d / a, human_bytes(d / seconds),
                          human_duration(seconds * (a - d) / d)));
  };
}

ExitCode tokenize(const Arguments& arguments, RankStatus&) {
  const Path input = arguments.word(0, "the text file");
  const Path output = arguments.word(1, "the token file to write (.bin)");
  if (output.extension() != ".bin") {
    throw UsageError("{}: a token file is recognised by its extension; name it {}.bin",
                     output.string(), Path(output).replace_extension().string());
  }
  if (lower_extension(input) == ".bin") {
    throw UsageError("{}: holds ids already; see trainyard data inspect", input.string());
  }
  const auto tokenizer = tokenizer_for(arguments, input, output);
  ProgressLine progress;
  const Stopwatch watch;
  const TextTokens tokens_made =
      tokenize_text(input, *tokenizer, text_options(arguments), on_stderr(progress, watch));
  const EncodedText& made = tokens_made.encoded;
  write_token_file(output, made.ids, tokens_made.info);
  const double seconds = watch.seconds();
  progress.finish();
  const auto tokens = static_cast<double>(made.ids.size());
  const auto bytes = static_cast<double>(made.bytes);
  if (arguments.flag("--json")) {
    fmt::print("{}\n", Json{{"path", output.string()},
                            {"documents", made.documents},
                            {"source_bytes", made.bytes},
                            {"tokens", made.ids.size()},
                            {"vocab", tokenizer->vocab_size()},
                            {"bytes_per_token", bytes / tokens},
                            {"bytes_per_second", bytes / seconds},
                            {"tokenizer", facts_of(*tokenizer)}}
                           .dump());
    return ExitCode::ok;
  }
  fmt::print("{}  {} tokens  {} document{}  {:.3f} bytes per token  {:.1f} MB/s\n", output.string(),
             count_with_digits(static_cast<std::int64_t>(made.ids.size())), made.documents,
             made.documents == 1 ? "" : "s", bytes / tokens, bytes / seconds / 1e6);
  return ExitCode::ok;
}

ExitCode train_tokenizer(const Arguments& arguments, RankStatus&) {
  const Path input = arguments.word(0, "the text file");
  const Path directory = arguments.word(1, "the directory to write");
  const auto tokenizer = learn(input, text_options(arguments), spec_of(arguments));
  save_tokenizer(*tokenizer, directory);
  if (arguments.flag("--json")) {
    fmt::print("{}\n", facts_of(*tokenizer).dump());
  } else {
    fmt::print("{}  {}\n", directory.string(), describe(*tokenizer));
  }
  return ExitCode::ok;
}

}  // namespace

const Verb& data_verb() {
  static const Verb verb = {
      "data",
      "tokenize INPUT OUT.bin (--tokenizer DIR | --kind KIND) | train-tokenizer INPUT DIR --kind "
      "KIND | inspect FILE",
      "Make token files from text (.txt, .jsonl, .tsv), train tokenizers, inspect datasets",
      {{"--tokenizer",
        "DIR",
        "the tokenizer to use: tokenizer.json, or vocab.json and merges.txt, or vocab.txt",
        kText,
        {},
        {"tokenize", "inspect"}},
       {"--kind",
        "KIND",
        "train one on INPUT instead: bytes, chars, bpe or wordpiece",
        kText,
        config::one_of({"bytes", "chars", "bpe", "wordpiece"}),
        {"tokenize", "train-tokenizer"}},
       {"--vocab",
        "N",
        "number of ids of bpe and wordpiece, at least 257",
        kInteger,
        config::between(kSmallestLearnedVocab, kMostTokenIds),
        {"tokenize", "train-tokenizer"}},
       {"--cased",
        "",
        "wordpiece that keeps capitals and accents",
        kText,
        {},
        {"tokenize", "train-tokenizer"}},
       {"--save-tokenizer",
        "DIR",
        "where it is kept; default for a trained one: tokenizer/ beside OUT",
        kText,
        {},
        {"tokenize"}},
       {"--text-key", "K", "of each object of a .jsonl file; default text"},
       {"--column", "N", "of a .tsv file, from 0; default 0", kInteger,
        config::between(0, kMostColumns)},
       {"--header", "H", "whether a .tsv file has one: true, false or auto; default auto", kText,
        config::one_of({"true", "false", "auto"})},
       {"--json", "", "one JSON object on stdout"}},
      {{.name = "tokenize", .most_words = 2, .run = tokenize},
       {.name = "train-tokenizer", .most_words = 2, .run = train_tokenizer},
       {.name = "inspect", .most_words = 1, .run = inspect_verb().forms[0].run}}};
  return verb;
}

}  // namespace ty
