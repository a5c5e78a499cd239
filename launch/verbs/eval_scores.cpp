#include "launch/verbs/eval_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/data/tasks/examples.h"
#include "core/data/text_lines.h"
#include "core/metrics/mean.h"
#include "core/metrics/rouge.h"
#include "core/metrics/transfer.h"
#include "launch/process/output.h"
#include "launch/run/text_judges.h"

namespace ty {

namespace {

constexpr const char* kJudges[] = {"--style-judge", "--similarity-judge", "--fluency-judge"};

bool has_judge(const Arguments& arguments) {
  return std::any_of(std::begin(kJudges), std::end(kJudges),
                     [&](const char* judge) { return arguments.flag(judge); });
}

// Texts of a file: its lines, or a column of a .tsv or key of a .jsonl, which an option names.
std::vector<std::string> read_texts(const Arguments& arguments, const char* option,
                                    const char* column) {
  const Path file = arguments.text(option, "");
  if (file.empty()) return {};
  const std::string kind = lower_extension(file);
  std::vector<std::string> texts;
  if (kind != ".tsv" && kind != ".jsonl") {
    const std::string text = text_of_file(file);
    for (const std::string_view line : lines_of(text)) texts.emplace_back(line);
    return texts;
  }
  if (!arguments.flag(column)) {
    throw UsageError("{} {}: {} is missing; which of its columns or keys is meant", option,
                     file.string(), column);
  }
  const ExampleSet set = read_examples(file, {.first = arguments.text(column, "")}, remark);
  for (const TextExample& example : set.examples) texts.push_back(example.first);
  return texts;
}

void check_count(const std::vector<std::string>& texts, const Arguments& arguments,
                 const char* option, std::size_t wanted) {
  if (texts.size() == wanted || !arguments.flag(option)) return;
  throw DataError("{}: has {} texts, but {} has {}; want one for each", arguments.text(option, ""),
                  texts.size(), arguments.text("--predictions", ""), wanted);
}

// Per text what a classifier finds: whether it has the label that an option names.
std::vector<double> labels_given(const Arguments& arguments, const char* judge, const char* label,
                                 const std::vector<std::string>& texts, DType dtype) {
  if (!arguments.flag(judge)) return {};
  if (!arguments.flag(label))
    throw UsageError("{}: {} is missing: what it is to find", judge, label);
  return judged_as(arguments.text(label, ""), arguments.text(judge, ""), texts, dtype);
}

}  // namespace

bool scores_files(const Arguments& arguments) {
  return arguments.words.empty() && arguments.flag("--predictions");
}

std::vector<Score> scores_of(const WrittenTexts& texts, const Arguments& arguments, DType dtype) {
  std::vector<Score> scores;
  if (!texts.references.empty()) {
    const RougeScores rouge =
        mean_rouge(texts.references, texts.written,
                   arguments.flag("--stemmer") ? Stemming::porter : Stemming::none);
    scores = {{"rouge1", rouge.rouge1.f1},
              {"rouge2", rouge.rouge2.f1},
              {"rouge_l", rouge.rouge_l.f1},
              {"rouge_l_sum", rouge.rouge_l_sum.f1}};
  }
  if (!has_judge(arguments)) return scores;
  const auto sta = labels_given(arguments, "--style-judge", "--style-label", texts.written, dtype);
  const auto fl =
      labels_given(arguments, "--fluency-judge", "--fluency-label", texts.written, dtype);
  std::vector<double> sim;
  if (arguments.flag("--similarity-judge")) {
    if (texts.sources.empty()) {
      throw UsageError("--similarity-judge: --sources is missing: what the texts were made from");
    }
    sim =
        similarities(arguments.text("--similarity-judge", ""), texts.sources, texts.written, dtype);
  }
  if (!sta.empty()) scores.push_back({"sta", mean(sta)});
  if (!sim.empty()) scores.push_back({"sim", mean(sim)});
  if (!fl.empty()) scores.push_back({"fl", mean(fl)});
  if (!sta.empty() && !sim.empty() && !fl.empty()) {
    scores.push_back({"j", transfer_scores(sta, sim, fl).j});
  }
  return scores;
}

ExitCode score_files(const Arguments& arguments, DType dtype) {
  const WrittenTexts texts = {.written = read_texts(arguments, "--predictions", "--prediction"),
                              .references = read_texts(arguments, "--references", "--answer"),
                              .sources = read_texts(arguments, "--sources", "--first")};
  if (texts.written.empty()) {
    throw DataError("{}: holds no texts", arguments.text("--predictions", ""));
  }
  if (!arguments.flag("--references") && !has_judge(arguments)) {
    throw UsageError("eval: --predictions without a model wants --references FILE or a judge");
  }
  check_count(texts.references, arguments, "--references", texts.written.size());
  check_count(texts.sources, arguments, "--sources", texts.written.size());
  const std::vector<Score> scores = scores_of(texts, arguments, dtype);
  if (arguments.flag("--json")) {
    nlohmann::json json = {{"examples", texts.written.size()}};
    for (const Score& score : scores) json[score.name] = score.value;
    fmt::print("{}\n", json.dump());
    return ExitCode::ok;
  }
  for (const Score& score : scores) fmt::print("{} {:.4f}  ", score.name, score.value);
  fmt::print("examples {}\n", texts.written.size());
  return ExitCode::ok;
}

std::vector<OptionSpec> score_options() {
  return {{"--references", "FILE", "ROUGE of --predictions: what should have been written"},
          {"--sources", "FILE", "what --predictions were written from, for --similarity-judge"},
          {"--prediction", "COLUMN", "column or key of --predictions, if that is a table"},
          {"--stemmer", "", "ROUGE compares stems of words (Porter's)"},
          {"--style-judge", "MODEL", "STA: share of texts to which it gives --style-label"},
          {"--style-label", "LABEL", "of the style that was to be written"},
          {"--similarity-judge", "MODEL", "SIM: mean cosine of its vectors of source and text"},
          {"--fluency-judge", "MODEL", "FL: share of texts to which it gives --fluency-label"},
          {"--fluency-label", "LABEL", "of fluent texts"}};
}

}  // namespace ty
