#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/suggest.h"
#include "core/io/new_directory.h"
#include "launch/compression.h"
#include "launch/model_path.h"
#include "launch/progress.h"
#include "launch/text.h"
#include "launch/verbs/verbs.h"

namespace ty {

namespace {

constexpr const char* kDefaultMatch = "blocks.*.mlp.*";

const Method& method_of(const Arguments& arguments) {
  const std::string wanted = arguments.text("--method", "");
  std::vector<std::string> names;
  for (const Method& method : methods()) {
    if (method.name == wanted) return method;
    names.emplace_back(method.name);
  }
  throw UsageError("--method: {}; one of: {}{}",
                   wanted.empty() ? "missing" : fmt::format("unknown \"{}\"", wanted),
                   fmt::join(names, " "), did_you_mean(wanted, names));
}

// 0.3, or 30% for the same; NaN for anything else.
double parse_share(std::string_view text) {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  double value = 0;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || stop != text.data() + text.size()) return NAN;
  return percent ? value / 100 : value;
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
  const std::string text = arguments.text(given.front(), "");
  if (arguments.flag("--rank")) {
    const std::int64_t rank = arguments.integer("--rank", 0);
    if (rank < 1) throw UsageError("--rank: {}; want 1 or more", rank);
    return RankBudget{rank};
  }
  const double share = parse_share(text);
  if (arguments.flag("--keep")) {
    if (!(share > 0 && share <= 1)) {
      throw UsageError(
          "--keep: \"{}\"; want a share of the weights, above 0 and at most 1, as 50% or 0.5",
          text);
    }
    return ShareBudget{share};
  }
  if (!(share >= 0 && share < 1)) {
    throw UsageError("--error: \"{}\"; want a relative error from 0 to below 1, as 0.1 or 10%",
                     text);
  }
  return ErrorBudget{share};
}

DecompositionRequest request_of(const Arguments& arguments, const Method& method) {
  for (const char* name : {"--in", "--out", "--cores"}) {
    if (arguments.flag(name) && !method.takes_modes) {
      throw UsageError("{}: means nothing to --method {}", name, method.name);
    }
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
  const std::int64_t cores = arguments.integer("--cores", 3);
  if (cores < 1 || cores > 6) throw UsageError("--cores: {}; want 1 to 6", cores);
  return {.budget = budget_of(arguments),
          .in = arguments.integers("--in"),
          .out = arguments.integers("--out"),
          .cores = cores};
}

std::vector<std::string> patterns_of(const Arguments& arguments) {
  std::vector<std::string> patterns = arguments.list("--match");
  if (patterns.empty()) patterns.emplace_back(kDefaultMatch);
  return patterns;
}

void warn_of_growth(const Compression& compression) {
  std::size_t grown = 0;
  for (const CompressedMap& map : compression.maps) {
    if (num_weights(map.after.spec, map.before.stored()) >=
        num_weights(map.before.spec, map.before.stored())) {
      ++grown;
    }
  }
  if (grown > 0) {
    fmt::print(
        stderr,
        "warning: {} of {} maps do not get smaller; ask for a lower rank or a larger error\n",
        grown, compression.maps.size());
  }
}

void warn_of_error(const Compression& compression, const Budget& budget) {
  const auto* asked = std::get_if<ErrorBudget>(&budget);
  if (asked == nullptr) return;
  const std::vector<const CompressedMap*> beyond = maps_beyond(compression, asked->eps);
  if (beyond.empty()) return;
  const CompressedMap& first = *beyond.front();
  fmt::print(
      stderr,
      "warning: --error {} cannot be kept by {} of {} maps: rounding the factors of {} to {} "
      "leaves {:.2g}\n",
      asked->eps, beyond.size(), compression.maps.size(), first.before.path, name_of(first.dtype),
      first.relative_error);
}

ExitCode run_compress(const Arguments& arguments, RankStatus&) {
  const Method& method = method_of(arguments);
  const DecompositionRequest request = request_of(arguments, method);
  const bool dry = arguments.flag("--dry-run");
  arguments.at_most(2, "patterns are given as --match A --match B or --match A,B");
  const Path target = dry ? Path(arguments.words.size() > 1 ? arguments.words[1] : "")
                          : Path(arguments.word(1, "the directory to write"));
  const StoredModel source(model_argument(arguments, "the run or model directory"));
  if (!dry) require_absent(target);
  const std::vector<LinearSite> maps = maps_to_compress(source, method, patterns_of(arguments));

  ProgressLine progress(stderr);
  const Compression compression = compress(source, maps, method, request, [&](std::size_t i) {
    progress.show(fmt::format("{}  {}/{}  {}", method.name, i + 1, maps.size(), maps[i].path));
  });
  progress.finish();
  if (arguments.flag("--json")) {
    nlohmann::json json = to_json(compression);
    json["method"] = method.name;
    json["source"] = source.directory().string();
    json["directory"] = dry ? nlohmann::json() : nlohmann::json(target.string());
    fmt::print("{}\n", json.dump());
  } else {
    fmt::print("{}", to_text(compression));
  }
  std::fflush(stdout);
  warn_of_growth(compression);
  warn_of_error(compression, request.budget);
  if (dry) return ExitCode::ok;
  const std::uint64_t bytes = write_converted(source, conversion_of(source, compression), target);
  fmt::print(stderr, "{}  {} written\n", target.string(), human_bytes(static_cast<double>(bytes)));
  return ExitCode::ok;
}

}  // namespace

const Verb& compress_verb() {
  static const Verb verb = {
      "compress",
      "MODEL OUT --method svd|ttm (--rank N | --keep SHARE | --error EPS) [options]",
      "Cut linear layers of a trained model into factors: prints what each becomes, then writes a "
      "model directory that trains on (model.from: OUT), evaluates and generates",
      {{"--method", "NAME", "svd: W = A B; ttm: a tensor train matrix"},
       {"--rank", "N", "of every bond; cut to what a map can use"},
       {"--keep", "SHARE", "at most this share of each map's weights: 50% or 0.5"},
       {"--error", "EPS", "the lowest ranks with |W - W~| <= EPS |W|, as stored: 0.1 or 10%"},
       {"--match", "PATTERN",
        "maps to cut, by name; may be repeated; default blocks.*.mlp.*; head.linear is a tied "
        "token table",
        true},
       {"--in", "LIST",
        "ttm: input modes, as 16,16,4, for maps of one size (cut others in a second run); default: "
        "chosen for each map"},
       {"--out", "LIST", "ttm: output modes, as many"},
       {"--cores", "N", "ttm: cores at most, where modes are chosen; default 3"},
       kStrictOption,
       {"--dry-run", "", "print the table and write nothing; OUT may be left out"},
       {"--json", "", "the table as one JSON object on stdout"}},
      false,
      run_compress};
  return verb;
}

}  // namespace ty
