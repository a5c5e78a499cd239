#include <fmt/format.h>

#include "core/base/error.h"
#include "launch/inspect/inspection.h"
#include "launch/inspect/spectrum.h"
#include "launch/job/limits.h"
#include "launch/report/progress.h"
#include "launch/verbs/text_arguments.h"
#include "launch/verbs/verbs.h"

namespace ty {

namespace {

Inspection spectrum_of(const Path& path) {
  ProgressLine progress;
  Inspection found = inspect_spectrum(
      path, [&](const std::string& layer) { progress.show("spectrum  " + layer); });
  progress.finish();
  return found;
}

ExitCode run_inspect(const Arguments& arguments, RankStatus&) {
  const Path path =
      arguments.word(0, "what to inspect (a run, checkpoint, model, dataset or tokenizer)");
  const Inspection found = arguments.flag("--spectrum")
                               ? spectrum_of(path)
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
       {"--tokenizer", "DIR", "decodes a token file, counts the tokens of a text"},
       {"--text-key", "K", "of each object of a .jsonl file; default text"},
       {"--column", "N", "of a .tsv file, from 0; default 0", kInteger,
        config::between(0, kMostColumns)},
       {"--header", "H", "whether a .tsv file has one: true, false or auto; default auto", kText,
        config::one_of({"true", "false", "auto"})}},
      {{.name = "", .most_words = 1, .run = run_inspect}}};
  return verb;
}

}  // namespace ty
