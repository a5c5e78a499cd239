// Examples of tasks: a text or a pair of texts with what a model should answer, from .tsv and
// .jsonl files whose columns or keys are named.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/data/text_source.h"

namespace ty {

// One text or pair, and the answer: the member that AnswerKind names, the others keep their
// default.
struct TextExample {
  std::string first;
  std::optional<std::string> second;
  std::int32_t label = -1;  // index into ExampleSet::labels
  double value = 0;
  std::string target;
  friend bool operator==(const TextExample&, const TextExample&) = default;
};

struct ExampleSet {
  std::vector<TextExample> examples;  // in the order of the file
  std::vector<std::string> labels;    // names of the classes; empty unless answers are labels
};

// none: a test set; label: classification; value: regression, a finite number; target: a text to be
// written.
enum class AnswerKind : std::uint8_t { none, label, value, target };

// What becomes of a row of a .tsv that lacks a named column.
enum class ShortRows : std::uint8_t { refuse, leave_out };

// Where the parts of an example are. In .jsonl these are keys; in .tsv they are columns, by the
// names in its header, or, where it has none, by numbers from 0.
struct ExampleFormat {
  std::string first = {};
  std::string second = {};  // empty: no pairs
  std::string answer = {};  // not read for AnswerKind::none
  AnswerKind kind = AnswerKind::none;
  // What the file has for class 0, 1, ..; empty: whatever occurs, in increasing order (of numbers,
  // if all are whole numbers).
  std::vector<std::string> label_cells = {};
  std::vector<std::string> label_names = {};  // empty: label_cells
  ShortRows short_rows = ShortRows::refuse;
  // Of a .tsv; automatic: there is one unless all columns are given by number.
  TsvHeader header = TsvHeader::automatic;
};

// Throws DataError `file:line: what is wrong; what would be right`: for a column, key, label or
// number that is missing or wrong, and for a file without examples. `note` receives, in one line,
// how many rows were left out.
ExampleSet read_examples(const std::filesystem::path& file, const ExampleFormat& format,
                         const std::function<void(const std::string& note)>& note = {});

}  // namespace ty
