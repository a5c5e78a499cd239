#include <fmt/format.h>

#include "core/base/error.h"
#include "launch/inspect/inspection.h"
#include "launch/inspect/spectrum.h"
#include "launch/job/limits.h"
#include "launch/report/progress.h"
#include "launch/run/model_path.h"
#include "launch/verbs/model_examples.h"
#include "launch/verbs/task_file.h"
#include "launch/verbs/text_arguments.h"
#include "launch/verbs/verbs.h"
#include "models/huggingface/model_directory.h"

namespace ty {

namespace {

constexpr const char* kOfSpectra[] = {"--statistics", "--data",  "--groups", "--sequence", "--svg",
                                      "--dataset",    "--first", "--second", "--answer"};

Inspection spectrum_of(const Arguments& arguments, const Path& path) {
  ProgressLine progress;
  const auto tell = [&](const std::string& doing) { progress.show(doing); };
  SpectrumOptions options = {.statistics = arguments.text("--statistics", ""),
                             .svg = arguments.text("--svg", ""),
                             .progress = tell};
  ModelExamples examples;
  GroupTestOptions test;
  test.groups = arguments.integer("--groups", 10);
  test.progress = tell;
  if (arguments.flag("--data")) {
    const Path directory = find_model(path).directory;
    const ModelSpec spec = read_model_config(directory);
    test.name = arguments.text("--data", "");
    examples = model_examples(arguments, directory, spec, test.name);
    test.examples = examples.source.get();
    test.sequence = arguments.integer("--sequence", spec.context);
    options.test = &test;
  } else if (arguments.flag("--groups")) {
    throw UsageError("--groups: is of --data FILE: what the loss is measured on");
  }
  Inspection found = inspect_spectrum(path, options);
  progress.finish();
  return found;
}

ExitCode run_inspect(const Arguments& arguments, RankStatus&) {
  const Path path =
      arguments.word(0, "what to inspect (a run, checkpoint, model, dataset or tokenizer)");
  for (const char* option : kOfSpectra) {
    if (arguments.flag(option) && !arguments.flag("--spectrum")) {
      throw UsageError("{}: is of --spectrum; give that too", option);
    }
  }
  const Inspection found = arguments.flag("--spectrum")
                               ? spectrum_of(arguments, path)
                               : inspect(path, {.text = text_options(arguments),
                                                .tokenizer = arguments.text("--tokenizer", "")});
  if (arguments.flag("--json")) {
    fmt::print("{}\n", found.facts.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("{}", found.text);
  }
  std::fflush(stdout);  // before the error line
  if (found.code == ExitCode::non_finite) throw NonFiniteError("{}", found.damage);
  if (!found.damage.empty()) throw DataError("{}", found.damage);
  return ExitCode::ok;
}

}  // namespace

const Verb& inspect_verb() {
  static const Verb verb = {
      "inspect",
      "PATH [--json]",
      "What a run, checkpoint, model, .safetensors file, dataset or tokenizer directory holds; "
      "everything is checked, and damage ends with exit code 65",
      {{"--json", "", "one JSON object on stdout"},
       {"--spectrum", "", "singular values of a model's linear layers: energy and ranks"},
       {"--statistics", "FILE",
        "spectra: of the inputs too, from trainyard statistics --kind gram"},
       {"--data", "FILE",
        "spectra: the loss on it without each tenth of all layers' singular values"},
       {"--groups", "N", "so many parts instead of ten", kInteger, config::between(1, 1000)},
       {"--sequence", "N", "tokens per example of --data; default: the model's context", kInteger,
        config::between(1, kLongestSequence)},
       {"--svg", "FILE", "spectra: a picture of all curves"},
       kDatasetOption,
       kFirstOption,
       kSecondOption,
       kAnswerOption,
       {"--tokenizer", "DIR", "decodes a token file, counts the tokens of a text"},
       {"--text-key", "K", "of each object of a .jsonl file; default text"},
       {"--column", "N", "of a .tsv file, from 0; default 0", kInteger,
        config::between(0, kMostColumns)},
       {"--header", "H", "whether a .tsv file has one: true, false or auto; default auto", kText,
        config::one_of({"true", "false", "auto"})}},
      {{.name = "", .most_words = 1, .run = run_inspect, .is_alone = true}}};
  return verb;
}

}  // namespace ty
