#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/new_directory.h"
#include "launch/report/text.h"
#include "launch/verbs/model_argument.h"
#include "launch/verbs/peft.h"
#include "launch/verbs/verbs.h"
#include "models/huggingface/conversion.h"
#include "models/linear/kinds.h"

namespace ty {

namespace {

std::int64_t factorised_layers(const StoredModel& model) {
  const auto& sites = model.linear_sites();
  return std::count_if(sites.begin(), sites.end(),
                       [](const LinearSite& site) { return !is_dense(site.spec); });
}

// What lies at the target now.
void report(const Arguments& arguments, const Path& target, std::uint64_t bytes) {
  const StoredModel written(target);
  const std::int64_t parameters = written.parameters().count();
  const std::int64_t factorised = factorised_layers(written);
  if (arguments.flag("--json")) {
    fmt::print("{}\n", nlohmann::json{{"directory", target.string()},
                                      {"parameters", parameters},
                                      {"factorised_maps", factorised},
                                      {"bytes", bytes}}
                           .dump());
    return;
  }
  fmt::print("{}  parameters {}  {}  {}\n", target.string(), count_with_digits(parameters),
             factorised == 0 ? "all layers dense" : fmt::format("{} factorised layers", factorised),
             human_bytes(static_cast<double>(bytes)));
}

ExitCode run_export(const Arguments& arguments, RankStatus&) {
  const Path target = arguments.word(1, "the directory to write");
  const StoredModel source(model_argument(arguments, "the run or model directory"));
  require_absent(target);
  if (arguments.flag("--adapters")) {
    if (arguments.flag("--dense")) {
      throw UsageError(
          "--adapters, --dense: one adds adapters in, the other writes them; want one");
    }
    export_adapters(arguments, source, target);
    return ExitCode::ok;
  }
  if (arguments.flag("--base")) throw UsageError("--base: is for --adapters");
  const std::uint64_t bytes = arguments.flag("--dense")
                                  ? write_converted(source, to_dense(source), target)
                                  : write_copy(source, target);
  report(arguments, target, bytes);
  return ExitCode::ok;
}

ExitCode run_import(const Arguments& arguments, RankStatus&) {
  const Path target = arguments.word(1, "the directory to write");
  if (imports_adapters(arguments)) {
    require_absent(target);
    report(arguments, target, import_adapters(arguments, target));
    return ExitCode::ok;
  }
  if (arguments.flag("--base")) throw UsageError("--base: is for adapters of the peft library");
  const StoredModel source(model_argument(arguments, "the directory to read"));
  require_absent(target);
  report(arguments, target, write_converted(source, {.spec = source.spec()}, target));
  return ExitCode::ok;
}

}  // namespace

const Verb& export_verb() {
  static const Verb verb = {
      "export",
      "MODEL OUT [--dense | --adapters [--base NAME]] [--json]",
      "The model of a run or checkpoint as a directory of its own, without optimizer state",
      {{"--dense", "",
        "every factorised layer becomes the matrix that it stands for: plain Hugging "
        "Face files"},
       kAdaptersOption,
       kAdaptersBaseOption,
       kStrictOption,
       {"--json", "", "one JSON object on stdout"}},
      {{.name = "", .most_words = 2, .run = run_export, .is_alone = true}}};
  return verb;
}

const Verb& import_verb() {
  static const Verb verb = {
      "import",
      "DIR OUT [--base MODEL] [--json]",
      "Any readable Hugging Face directory, checked and written in one spelling: one "
      "model.safetensors, full tensor names, present config.json keys; numbers keep their type. "
      "Of adapters of the peft library, the model with them",
      {kImportBaseOption, kStrictOption, {"--json", "", "one JSON object on stdout"}},
      {{.name = "", .most_words = 2, .run = run_import, .is_alone = true}}};
  return verb;
}

}  // namespace ty
