#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/glob.h"
#include "launch/job/limits.h"
#include "launch/process/output.h"
#include "launch/process/world.h"
#include "launch/report/group_table.h"
#include "launch/report/progress.h"
#include "launch/report/text.h"
#include "launch/run/device.h"
#include "launch/run/model_statistics.h"
#include "launch/verbs/model_argument.h"
#include "launch/verbs/model_examples.h"
#include "launch/verbs/task_file.h"
#include "launch/verbs/verbs.h"
#include "models/huggingface/model_directory.h"
#include "models/statistics/statistics_file.h"

namespace ty {

namespace {

StatisticKinds kinds_of(const Arguments& arguments) {
  std::vector<std::string> wanted = arguments.list("--kind");
  if (wanted.empty()) wanted.emplace_back(name_of(StatisticKind::fisher));
  StatisticKinds kinds;
  for (const StatisticKind kind : kStatisticKinds) {
    if (std::find(wanted.begin(), wanted.end(), name_of(kind)) != wanted.end()) kinds.add(kind);
  }
  return kinds;
}

config::Rule known_kinds() {
  config::Rule rule;
  for (const StatisticKind kind : kStatisticKinds) rule.choices.emplace_back(name_of(kind));
  return rule;
}

std::vector<LinearSite> layers_of(const Arguments& arguments, const ModelSpec& spec) {
  const std::vector<LinearSite> all = layers_to_watch(spec);
  std::vector<std::string> patterns = arguments.list("--match");
  if (patterns.empty()) return all;
  std::vector<LinearSite> found;
  for (const LinearSite& site : all) {
    const auto matches = [&](const std::string& p) { return glob_match(p, site.path); };
    if (std::any_of(patterns.begin(), patterns.end(), matches)) found.push_back(site);
  }
  for (const std::string& pattern : patterns) {
    const auto matches = [&](const LinearSite& site) { return glob_match(pattern, site.path); };
    if (std::any_of(found.begin(), found.end(), matches)) continue;
    throw UsageError(
        "--match: \"{}\" matches no linear layer that statistics are taken of; the "
        "first is {}",
        pattern, all.front().path);
  }
  return found;
}

void print(const Path& file, std::size_t layers, const StatisticsOutcome& outcome, bool as_json) {
  if (as_json) {
    nlohmann::json json = {{"file", file.string()},
                           {"bytes", outcome.bytes},
                           {"layers", layers},
                           {"examples", outcome.origin.examples},
                           {"loss", outcome.loss},
                           {"loss_name", outcome.origin.loss},
                           {"data_hash", outcome.origin.data_hash},
                           {"pass_seconds", outcome.seconds},
                           {"peak_bytes", outcome.peak_bytes}};
    if (!outcome.groups.empty()) json["groups"] = to_json(outcome.groups);
    fmt::print("{}\n", json.dump());
    return;
  }
  fmt::print("{} of {} layers over {} examples  {} {:.4f}  {:.1f} s\n",
             human_bytes(static_cast<double>(outcome.bytes)), layers, outcome.origin.examples,
             outcome.origin.loss, outcome.loss, outcome.seconds);
  if (!outcome.groups.empty()) fmt::print("{}", format_groups(outcome.groups));
}

// Before the pass: what is there may be replaced if it is statistics, too, and is nothing else.
void check_target(const Path& target) {
  if (std::filesystem::is_directory(target)) {
    throw UsageError("--out: {} is a directory; want the name of a file", target.string());
  }
  if (!std::filesystem::exists(target)) return;
  try {
    static_cast<void>(StatisticsFile(target));
  } catch (const DataError&) {
    throw UsageError("--out: {} exists and holds no statistics; name another file",
                     target.string());
  }
}

// Says which kinds of statistics that are there will be gone.
void tell_of_lost_kinds(const Path& target, const std::vector<LinearSite>& layers,
                        StatisticKinds kinds) {
  if (!std::filesystem::exists(target)) return;
  const StatisticsFile there(target);
  std::vector<std::string_view> lost;
  for (const StatisticKind kind : kStatisticKinds) {
    const auto has = [&](const LinearSite& site) { return there.has(site.path, kind); };
    if (!kinds.has(kind) && std::any_of(layers.begin(), layers.end(), has)) {
      lost.push_back(name_of(kind));
    }
  }
  if (lost.empty()) return;
  remark(fmt::format("{}: its {} will be gone; --kind takes several at once", target.string(),
                     fmt::join(lost, ", ")));
}

ExitCode run_statistics(const Arguments& arguments, RankStatus& status) {
  World world(status);
  const Path directory = model_argument(arguments, "the run or model directory", world.is_root());
  const Path file = arguments.text("--data", "");
  if (file.empty()) throw UsageError("--data: missing; want the file of texts or examples");
  const Path target = arguments.text("--out", statistics_path(directory).string());
  check_target(target);
  const Reduction reduction =
      arguments.text("--reduction", "fast") == "canonical" ? Reduction::canonical : Reduction::fast;
  const StatisticKinds kinds = kinds_of(arguments);
  const FisherTerms fisher = arguments.text("--fisher", "examples") == "batches"
                                 ? FisherTerms::batches
                                 : FisherTerms::examples;
  if (arguments.flag("--fisher") && !kinds.has(StatisticKind::fisher)) {
    throw UsageError("--fisher: means nothing without --kind fisher");
  }
  const ModelSpec spec = read_model_config(directory);
  const ModelExamples examples = model_examples(arguments, directory, spec, file);

  const auto backend = make_backend(DeviceChoice::automatic, reduction, world.place());
  ProgressLine line;
  StatisticsPassOptions options = {.examples = arguments.integer("--examples", 0),
                                   .batch = arguments.integer("--batch", 8),
                                   .reduction = reduction};
  if (world.is_root()) {
    options.progress = [&line](std::int64_t done, std::int64_t batches) {
      line.show(fmt::format("statistics  batch {}/{}", done, batches));
    };
  }
  const StatisticsRequest request = {.model = directory,
                                     .layers = layers_of(arguments, spec),
                                     .kinds = kinds,
                                     .fisher = fisher,
                                     .source = *examples.source,
                                     .data = file,
                                     .options = options,
                                     .target = target};
  if (world.is_root()) tell_of_lost_kinds(target, request.layers, kinds);
  const StatisticsOutcome outcome = take_statistics(request, spec, *backend, world.group());
  line.finish();
  if (!world.is_root()) return ExitCode::ok;
  print(target, request.layers.size(), outcome, arguments.flag("--json"));
  std::fflush(stdout);
  remark(fmt::format("{} written", target.string()));
  return ExitCode::ok;
}

}  // namespace

const Verb& statistics_verb() {
  static const Verb verb = {
      "statistics",
      "MODEL --data FILE [--kind fisher,gram,inputs,lora] [options]",
      "A pass over data that takes statistics of the linear layers for compress: Fisher "
      "information, Gram matrix of inputs, ranges of inputs, importances by LoRA adapters, with "
      "scores of heads and channels; kept beside the model",
      {{"--data", "FILE", "the texts or examples of the model's task"},
       {"--kind", "KINDS", "some of fisher, gram, inputs and lora; default fisher", kTexts,
        known_kinds()},
       {"--examples", "N", "windows or examples, evenly spread; default: all", kInteger,
        config::between(1, kMostSequences)},
       {"--batch", "N", "examples at once; default 8", kInteger,
        config::between(1, kMostSequences)},
       {"--sequence", "N", "tokens per example; default: the model's context", kInteger,
        config::between(1, kLongestSequence)},
       {"--match", "PATTERN", "layers, by name; may be repeated; default: all but a vocabulary's",
        kTexts},
       {"--fisher", "TERMS",
        "what is squared: gradients of examples (default), or mean gradients of batches", kText,
        config::one_of({"examples", "batches"})},
       {"--reduction", "R",
        "fast (default), or canonical: the same bits on 1, 2 and 4 ranks and any number of threads",
        kText, config::one_of({"fast", "canonical"})},
       {"--out", "FILE",
        "where to write; default: beside the model DIR, DIR.statistics.safetensors"},
       kDatasetOption,
       kFirstOption,
       kSecondOption,
       kAnswerOption,
       kStrictOption,
       {"--json", "", "one JSON object on stdout"}},
      {{.name = "", .most_words = 1, .run = run_statistics, .shares_work = true}}};
  return verb;
}

}  // namespace ty
