#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/io/new_directory.h"
#include "launch/job/limits.h"
#include "launch/process/output.h"
#include "launch/report/compression_report.h"
#include "launch/report/progress.h"
#include "launch/report/text.h"
#include "launch/run/job_inputs.h"
#include "launch/verbs/model_argument.h"
#include "launch/verbs/verbs.h"
#include "models/compress/search.h"
#include "models/linear/adapters.h"

namespace ty {

namespace {

constexpr const char* kDefaultMatch = "blocks.*.mlp.*";

config::Rule known_methods() {
  config::Rule rule;
  for (const Method& method : methods()) rule.choices.emplace_back(method.name);
  return rule;
}

std::string methods_help() {
  std::vector<std::string> lines;
  for (const Method& method : methods()) {
    lines.push_back(fmt::format("{}: {}", method.name, method.help));
  }
  return fmt::format("{}", fmt::join(lines, "; "));
}

const Method& named_method(const std::string& name) {
  return *std::find_if(methods().begin(), methods().end(),
                       [&](const Method& method) { return method.name == name; });
}

const Method& method_of(const Arguments& arguments) {
  const std::string wanted = arguments.text("--method", "");
  if (wanted.empty()) {
    throw UsageError("--method: missing; want {}", fmt::join(known_methods().choices, " or "));
  }
  return named_method(wanted);
}

Budget budget_of(const Arguments& arguments) {
  std::vector<const char*> given;
  for (const char* name : {"--rank", "--keep", "--error"}) {
    if (arguments.flag(name)) given.push_back(name);
  }
  if (given.size() != 1) {
    throw UsageError("compress: wants one of --rank N, --keep SHARE and --error EPS, got {}",
                     given.empty() ? "none" : fmt::format("{}", fmt::join(given, " and ")));
  }
  if (arguments.flag("--rank")) return RankBudget{arguments.integer("--rank", 0)};
  if (arguments.flag("--keep")) return ShareBudget{arguments.number("--keep", 0)};
  return ErrorBudget{arguments.number("--error", 0)};
}

bool reads_axis(const Method& method) { return method.needs.fisher || method.needs.lora; }

WeightAxis axis_of(const Arguments& arguments) {
  const std::string axis = arguments.text("--axis", "in");
  return axis == "in" ? WeightAxis::in : axis == "out" ? WeightAxis::out : WeightAxis::both;
}

DecompositionRequest request_of(const Arguments& arguments, const Method& method) {
  const auto refuse = [&](const char* name) {
    if (arguments.flag(name))
      throw UsageError("{}: means nothing to --method {}", name, method.name);
  };
  if (!method.takes_modes) refuse("--in"), refuse("--out");
  if (!method.takes_cores) refuse("--cores");
  if (!method.takes_steps) refuse("--steps");
  if (method.takes_steps && !arguments.flag("--steps")) {
    throw UsageError("--steps: missing; --method {} wants the steps of the training that follows",
                     method.name);
  }
  if (arguments.flag("--in") != arguments.flag("--out")) {
    throw UsageError(
        "compress: {} alone; give modes of both sides, as in --in 16,16,4 --out 16,16,16, or of "
        "neither",
        arguments.flag("--in") ? "--in" : "--out");
  }
  if (arguments.flag("--in") && arguments.flag("--cores")) {
    throw UsageError("--cores: says how many modes to choose, but --in and --out give them");
  }
  if (arguments.flag("--axis") && !reads_axis(method)) {
    throw UsageError("--axis: means nothing to --method {}", method.name);
  }
  return {.budget = budget_of(arguments),
          .in = arguments.integers("--in"),
          .out = arguments.integers("--out"),
          .cores = arguments.integer("--cores", 3),
          .axis = axis_of(arguments),
          .steps = arguments.integer("--steps", 0)};
}

Allocation allocation_of(const Arguments& arguments, const Method& method) {
  if (arguments.text("--allocate", "even") == "even") return Allocation::even;
  if (method.spectrum == nullptr) {
    std::vector<std::string_view> others;
    for (const Method& each : methods()) {
      if (each.spectrum != nullptr) others.push_back(each.name);
    }
    throw UsageError("--allocate: sensitivity wants layers of one rank each: --method {}",
                     fmt::join(others, " or "));
  }
  if (!arguments.flag("--keep")) {
    throw UsageError("--allocate: sensitivity divides --keep SHARE among the layers");
  }
  return Allocation::sensitivity;
}

// Statistics say something of the weights that they were taken with. The same weights may lie in
// other files, so this is no error.
void warn_of_other_model(const std::optional<StatisticsFile>& statistics, const Path& model) {
  if (!statistics || statistics->origin().model_hash.empty()) return;
  if (statistics->origin().model_hash == content_hash_of(model)) return;
  remark(fmt::format("warning: {} was taken of other files than those in {}",
                     statistics->path().string(), model.string()));
}

// The file that is named, or that a method needs and finds beside the model.
std::optional<StatisticsFile> statistics_of(const Arguments& arguments, const Method& method,
                                            const Path& model) {
  if (arguments.flag("--statistics")) {
    return std::make_optional<StatisticsFile>(Path(arguments.text("--statistics", "")));
  }
  if (!method.needs_statistics()) return std::nullopt;
  if (std::filesystem::exists(statistics_path(model))) {
    return std::make_optional<StatisticsFile>(statistics_path(model));
  }
  std::vector<std::string_view> kinds;
  for (const StatisticKind kind : kStatisticKinds) {
    if (method.needs.has(kind)) kinds.push_back(name_of(kind));
  }
  throw UsageError(
      "--statistics: --method {} wants {}; make it with: trainyard statistics {} "
      "--data FILE --kind {}",
      method.name, fmt::join(kinds, " and "), arguments.words.at(0), fmt::join(kinds, ","));
}

std::vector<std::string> patterns_of(const Arguments& arguments) {
  std::vector<std::string> patterns = arguments.list("--match");
  if (patterns.empty()) patterns.emplace_back(kDefaultMatch);
  return patterns;
}

// Throws UsageError where adapters are to be kept, but no layer has one.
bool keeps_adapters(const Arguments& arguments, const std::vector<LinearSite>& layers) {
  if (!arguments.flag("--keep-adapters")) return false;
  const auto has_adapter = [](const LinearSite& site) { return adapted(site.spec) != nullptr; };
  if (std::any_of(layers.begin(), layers.end(), has_adapter)) return true;
  throw UsageError("--keep-adapters: none of the layers has one; the first is {}, {}",
                   layers.front().path, describe(layers.front().spec));
}

void warn_of_growth(const Compression& compression) {
  std::size_t grown = 0;
  for (const CompressedLayer& layer : compression.layers) {
    if (num_weights(layer.after.spec, layer.before.shape) >=
        num_weights(layer.before.spec, layer.before.shape)) {
      ++grown;
    }
  }
  if (grown > 0) {
    remark(fmt::format(
        "warning: {} of {} layers do not get smaller; ask for a lower rank or a larger error",
        grown, compression.layers.size()));
  }
}

void warn_of_error(const Compression& compression, const Method& method,
                   const Arguments& arguments) {
  if (!arguments.flag("--error") || method.is_weighted()) return;
  const double asked = arguments.number("--error", 0);
  const std::vector<const CompressedLayer*> beyond = layers_beyond(compression, asked);
  if (beyond.empty()) return;
  const CompressedLayer& first = *beyond.front();
  remark(fmt::format(
      "warning: --error {} cannot be kept by {} of {} layers: rounding the factors of {} to {} "
      "leaves {:.2g}",
      asked, beyond.size(), compression.layers.size(), first.before.path, name_of(first.dtype),
      first.relative_error));
}

// A compression, and the method that made all of it; null: each layer has its own.
struct Made {
  const Method* method = nullptr;
  Compression compression;
};

// Shows which layer is worked on.
class LayerProgress {
 public:
  std::function<void(std::size_t)> of(const std::string& by,
                                      const std::vector<LinearSite>& layers) {
    return [this, by, &layers](std::size_t i) {
      line_.show(fmt::format("{}  {}/{}  {}", by, i + 1, layers.size(), layers[i].path));
    };
  }
  void finish() { line_.finish(); }

 private:
  ProgressLine line_;
};

Made by_method(const Arguments& arguments, const StoredModel& source) {
  const Method& method = method_of(arguments);
  if (arguments.flag("--time")) throw UsageError("--time: is of --search");
  const DecompositionRequest request = request_of(arguments, method);
  const Allocation allocation = allocation_of(arguments, method);
  const std::vector<LinearSite> layers = layers_to_compress(source, method, patterns_of(arguments));
  const auto statistics = statistics_of(arguments, method, source.directory());
  const bool keeps = keeps_adapters(arguments, layers);
  if (keeps && method.takes_steps) {
    throw UsageError("--keep-adapters: what they stand beside is not trained, as --method {} wants",
                     method.name);
  }
  LayerProgress progress;
  Made made = {&method, compress(source, layers, method, request,
                                 {.statistics = statistics ? &*statistics : nullptr,
                                  .allocation = allocation,
                                  .keeps_adapters = keeps,
                                  .progress = progress.of(std::string(method.name), layers)})};
  progress.finish();
  warn_of_other_model(statistics, source.directory());
  return made;
}

SearchRequest search_request_of(const Arguments& arguments) {
  for (const char* other :
       {"--method", "--rank", "--error", "--allocate", "--in", "--out", "--cores", "--steps"}) {
    if (arguments.flag(other)) {
      throw UsageError("{}: is chosen for each layer by --search; leave it out", other);
    }
  }
  if (arguments.flag("--keep") == arguments.flag("--time")) {
    throw UsageError("--search: wants --keep SHARE of the weights, or --time SHARE, of all layers");
  }
  const bool by_time = arguments.flag("--time");
  SearchRequest request = {.methods = {},
                           .goal = by_time ? SearchGoal::time : SearchGoal::weights,
                           .share = arguments.number(by_time ? "--time" : "--keep", 1),
                           .like = {.budget = ShareBudget{1}, .axis = axis_of(arguments)}};
  for (const std::string& name : arguments.list("--search")) {
    request.methods.push_back(&named_method(name));
    if (!request.methods.back()->takes_steps) continue;
    throw UsageError("--search: {} wants training after it; name it by --method", name);
  }
  const auto reads = [](const Method* method) { return reads_axis(*method); };
  if (arguments.flag("--axis") &&
      std::none_of(request.methods.begin(), request.methods.end(), reads)) {
    throw UsageError("--axis: means nothing to --search {}",
                     fmt::join(arguments.list("--search"), ","));
  }
  return request;
}

Made by_search(const Arguments& arguments, const StoredModel& source) {
  const SearchRequest request = search_request_of(arguments);
  std::vector<LinearSite> layers;
  for (const Method* method : request.methods) {
    layers = layers_to_compress(source, *method, patterns_of(arguments));
  }
  const auto weighted =
      std::find_if(request.methods.begin(), request.methods.end(),
                   [](const Method* method) { return method->needs_statistics(); });
  const Method& asks = weighted == request.methods.end() ? *request.methods[0] : **weighted;
  const auto statistics = statistics_of(arguments, asks, source.directory());
  LayerProgress progress;
  Made made = {nullptr, search_compression(source, layers, request,
                                           {.statistics = statistics ? &*statistics : nullptr,
                                            .keeps_adapters = keeps_adapters(arguments, layers),
                                            .progress = progress.of("search", layers)})};
  progress.finish();
  warn_of_other_model(statistics, source.directory());
  return made;
}

ExitCode run_compress(const Arguments& arguments, RankStatus&) {
  const bool dry = arguments.flag("--dry-run");
  const Path target = dry ? Path(arguments.words.size() > 1 ? arguments.words[1] : "")
                          : Path(arguments.word(1, "the directory to write"));
  const StoredModel source(model_argument(arguments, "the run or model directory"));
  if (!dry) require_absent(target);
  const auto [method, compression] =
      arguments.flag("--search") ? by_search(arguments, source) : by_method(arguments, source);
  if (arguments.flag("--json")) {
    nlohmann::json json = to_json(compression);
    json["method"] = method != nullptr ? method->name : "search";
    json["source"] = source.directory().string();
    json["directory"] = dry ? nlohmann::json() : nlohmann::json(target.string());
    fmt::print("{}\n", json.dump());
  } else {
    fmt::print("{}", to_text(compression));
  }
  std::fflush(stdout);
  if (method == nullptr || !method->takes_steps) warn_of_growth(compression);
  if (method != nullptr) warn_of_error(compression, *method, arguments);
  if (dry) return ExitCode::ok;
  const std::uint64_t bytes = write_converted(source, conversion_of(source, compression), target);
  remark(fmt::format("{}  {} written", target.string(), human_bytes(static_cast<double>(bytes))));
  return ExitCode::ok;
}

}  // namespace

const Verb& compress_verb() {
  static const Verb verb = {
      "compress",
      "MODEL OUT --method NAME (--rank N | --keep SHARE | --error EPS) | --search NAMES "
      "(--keep SHARE | --time SHARE) [options]",
      "Cut linear layers of a trained model into factors: prints what each becomes, then writes a "
      "model directory that trains on (model.from: OUT), evaluates and generates",
      {{"--method", "NAME", methods_help(), kText, known_methods()},
       {"--search", "NAMES",
        "instead of --method: each layer gets the one of these methods, or stays as it is, and the "
        "size that together cost least error",
        kTexts, known_methods()},
       {"--time", "SHARE", "of --search: at most this share of all layers' predicted time", kNumber,
        config::Rule{}.above(0).at_most(1).percent()},
       {"--rank", "N", "of every bond (kronecker: terms); cut to what a layer can use", kInteger,
        config::between(1, kMostFeatures)},
       {"--keep", "SHARE",
        "at most this share of each layer's weights (--search: of all): 50% or 0.5", kNumber,
        config::Rule{}.above(0).at_most(1).percent()},
       {"--error", "EPS",
        "the lowest ranks with |W - W~| <= EPS |W|, as stored: 0.1 or 10%; of a method with "
        "statistics, in its own norm",
        kNumber, config::at_least(0).below(1).percent()},
       {"--allocate", "HOW",
        "even (default): --keep of each layer; sensitivity: --keep of all together, each layer "
        "getting the ranks that gain most",
        kText, config::one_of({"even", "sensitivity"})},
       {"--statistics", "FILE",
        "of trainyard statistics; default: the model's own, for methods that want them"},
       {"--keep-adapters", "",
        "what adapters stand beside is cut, and they stay as they are; default: they are added in "
        "first"},
       {"--axis", "AXIS",
        "fwsvd, tfwsvd, tfwsvd_gradient, lora_svd: sums of rows (in, default), columns (out) or "
        "both",
        kText, config::one_of({"in", "out", "both"})},
       {"--steps", "N", "first_order, lpaf_mixed: of the training that follows", kInteger,
        config::between(1, kMostSteps)},
       {"--match", "PATTERN",
        "layers to cut, by name; may be repeated; default blocks.*.mlp.*; embeddings.token is "
        "the token table, and the head that is tied to it",
        kTexts},
       {"--in", "LIST",
        "input modes of trains, as 16,16,4 (kronecker, btt: rows of A and of B), for layers of one "
        "size (cut others in a second run); default: chosen for each layer",
        kIntegers, config::between(1, kMostFeatures)},
       {"--out", "LIST", "output modes, as many as --in", kIntegers,
        config::between(1, kMostFeatures)},
       {"--cores", "N", "cores of trains at most, where modes are chosen; default 3", kInteger,
        config::between(1, 6)},
       kStrictOption,
       {"--dry-run", "", "print the table and write nothing; OUT may be left out"},
       {"--json", "", "the table as one JSON object on stdout"}},
      {{.name = "",
        .most_words = 2,
        .run = run_compress,
        .is_alone = true,
        .hint = "patterns are given as --match A --match B or --match A,B"}}};
  return verb;
}

}  // namespace ty
