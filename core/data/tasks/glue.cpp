#include "core/data/tasks/glue.h"

#include <array>

#include "core/base/error.h"
#include "core/base/suggest.h"
#include "core/io/json.h"

namespace ty {

namespace {

using Names = std::vector<std::string>;

// `columns`: first text, second text or "", answer.
ExampleFormat classes(const std::array<const char*, 3>& columns, const Names& cells,
                      const Names& names) {
  return {.first = columns[0],
          .second = columns[1],
          .answer = columns[2],
          .kind = AnswerKind::label,
          .label_cells = cells,
          .label_names = names,
          .short_rows = ShortRows::leave_out};
}

ExampleFormat scores(const std::array<const char*, 3>& columns) {
  return {.first = columns[0],
          .second = columns[1],
          .answer = columns[2],
          .kind = AnswerKind::value,
          .short_rows = ShortRows::leave_out};
}

}  // namespace

std::span<const GlueData> glue_data() {
  static const Names kDigits{"0", "1"};
  static const Names kTwoWays{"entailment", "not_entailment"};
  static const Names kThreeWays{"entailment", "neutral", "contradiction"};
  static const std::vector<GlueData> kData = {
      // Without a header: source, label, the linguist's mark, sentence.
      {"cola", classes({"3", "", "1"}, kDigits, {"unacceptable", "acceptable"})},
      {"sst2", classes({"sentence", "", "label"}, kDigits, {"negative", "positive"})},
      {"mrpc",
       classes({"#1 String", "#2 String", "Quality"}, kDigits, {"not_equivalent", "equivalent"})},
      {"stsb", scores({"sentence1", "sentence2", "score"})},
      {"qqp", classes({"question1", "question2", "is_duplicate"}, kDigits,
                      {"not_duplicate", "duplicate"})},
      {"mnli",
       classes({"sentence1", "sentence2", "gold_label"}, kThreeWays, kThreeWays),
       {"dev_matched.tsv", "dev_mismatched.tsv"}},
      {"qnli", classes({"question", "sentence", "label"}, kTwoWays, kTwoWays)},
      {"rte", classes({"sentence1", "sentence2", "label"}, kTwoWays, kTwoWays)},
      {"wnli",
       classes({"sentence1", "sentence2", "label"}, kDigits, {"not_entailment", "entailment"})},
  };
  return kData;
}

const GlueData& glue_data_of(std::string_view name) {
  Names names;
  for (const GlueData& one : glue_data()) {
    if (one.name == name) return one;
    names.push_back(one.name);
  }
  throw ConfigError("no GLUE task {}; want {}{}", in_quotes(name), fmt::join(names, ", "),
                    did_you_mean(name, names));
}

}  // namespace ty
