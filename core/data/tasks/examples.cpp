#include "core/data/tasks/examples.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "core/base/error.h"
#include "core/base/suggest.h"
#include "core/data/json_value.h"
#include "core/data/text_lines.h"
#include "core/io/file.h"
#include "core/io/json.h"

namespace ty {

namespace {

using Note = std::function<void(const std::string&)>;

// An example whose answer is still as the file has it.
struct RawExample {
  TextExample example;
  std::string answer;
  std::size_t line;
};

template <typename T>
std::optional<T> number_of(std::string_view cell) {
  T value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size()) return std::nullopt;
  return value;
}

// ---- TSV

std::string joined(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 20;
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) {
    list += (i == 0 ? "" : ", ") + in_quotes(names[i]);
  }
  return list + (names.size() > kMost ? ", ..." : "");
}

// Where the columns of a format are in the rows of a file.
class Columns {
 public:
  Columns(const ExampleFormat& format, const std::vector<std::string_view>& lines, const Path& file)
      : place_(place_of(file, 0)) {
    const std::string* const wanted[] = {
        &format.first, format.second.empty() ? nullptr : &format.second,
        format.kind == AnswerKind::none ? nullptr : &format.answer};
    has_header_ = format.header == TsvHeader::present;
    for (const std::string* name : wanted) {
      const bool by_name = name != nullptr && !number_of<std::size_t>(*name);
      if (format.header == TsvHeader::automatic && by_name) has_header_ = true;
    }
    if (has_header_ && !lines.empty()) {
      for (const std::string_view name : cells_of(lines[0])) names_.emplace_back(name);
    }
    for (std::size_t i = 0; i < 3; ++i) {
      if (wanted[i] != nullptr) at_[i] = position_of(*wanted[i]);
      least_ = std::max(least_, at_[i].value_or(0) + 1);
    }
  }

  bool has_header() const { return has_header_; }
  std::size_t header_size() const { return names_.size(); }
  std::size_t least_cells() const { return least_; }
  // The cells of a row that has enough of them.
  RawExample example(const std::vector<std::string_view>& cells, std::size_t line) const {
    RawExample raw{{.first = std::string(cells[*at_[0]]), .second = {}, .target = {}}, {}, line};
    if (at_[1]) raw.example.second = std::string(cells[*at_[1]]);
    if (at_[2]) raw.answer = std::string(cells[*at_[2]]);
    return raw;
  }

 private:
  std::size_t position_of(const std::string& name) const {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found != names_.end()) return static_cast<std::size_t>(found - names_.begin());
    const std::optional<std::size_t> number = number_of<std::size_t>(name);
    constexpr std::size_t kMostColumns = 1 << 20;
    if (number && *number < kMostColumns) return *number;
    if (!has_header_) {
      throw DataError("{}: column {} of a file without a header; want its number, from 0", place_,
                      in_quotes(name));
    }
    throw DataError("{}: no column {}; the header has {}{}", place_, in_quotes(name),
                    joined(names_), did_you_mean(name, names_));
  }

  std::string place_;
  bool has_header_ = false;
  std::vector<std::string> names_;
  std::optional<std::size_t> at_[3];  // first, second, answer
  std::size_t least_ = 1;
};

std::vector<RawExample> tsv_examples(std::string_view text, const Path& file,
                                     const ExampleFormat& format, const Note& note) {
  const std::vector<std::string_view> lines = lines_of(text);
  const Columns columns(format, lines, file);
  std::vector<RawExample> examples;
  std::size_t left_out = 0, first_left_out = 0;
  for (std::size_t i = columns.has_header() ? 1 : 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const std::vector<std::string_view> cells = cells_of(lines[i]);
    if (cells.size() >= columns.least_cells()) {
      examples.push_back(columns.example(cells, i));
    } else if (format.short_rows == ShortRows::refuse) {
      throw DataError("{}: {} columns; want at least {}", place_of(file, i), cells.size(),
                      columns.least_cells());
    } else if (left_out++ == 0) {
      first_left_out = i;
    }
  }
  if (left_out > 0 && note) {
    note(fmt::format("{}: {} of {} rows have fewer than {} columns and are left out",
                     place_of(file, first_left_out), left_out, examples.size() + left_out,
                     columns.least_cells()));
  }
  return examples;
}

// ---- JSONL

// A text, or a number or truth value as JSON writes it.
std::string cell_of(const JsonValue& value) {
  if (value.json.is_string()) return value.string();
  if (!value.json.is_number() && !value.json.is_boolean()) value.refuse("a string or a number");
  return value.json.dump();
}

std::vector<RawExample> jsonl_examples(std::string_view text, const Path& file,
                                       const ExampleFormat& format) {
  const std::vector<std::string_view> lines = lines_of(text);
  std::vector<RawExample> examples;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (is_blank(lines[i])) continue;
    const nlohmann::json json = json_of(lines[i], place_of(file, i));
    const JsonValue object{json, place_of(file, i), ""};
    RawExample raw{{.first = object.at(format.first).string(), .second = {}, .target = {}}, {}, i};
    if (!format.second.empty()) raw.example.second = object.at(format.second).string();
    if (format.kind == AnswerKind::target) raw.answer = object.at(format.answer).string();
    if (format.kind == AnswerKind::label || format.kind == AnswerKind::value) {
      raw.answer = cell_of(object.at(format.answer));
    }
    examples.push_back(std::move(raw));
  }
  return examples;
}

// ---- answers

std::vector<std::string> labels_found(const std::vector<RawExample>& examples) {
  std::set<std::string> found;
  for (const RawExample& one : examples) found.insert(one.answer);
  std::vector<std::string> labels(found.begin(), found.end());
  const auto number = [](const std::string& label) { return number_of<std::int64_t>(label); };
  if (std::all_of(labels.begin(), labels.end(), number)) {
    std::stable_sort(labels.begin(), labels.end(),
                     [&](const auto& a, const auto& b) { return *number(a) < *number(b); });
  }
  return labels;
}

void answer_with_label(RawExample& raw, const std::vector<std::string>& cells, const Path& file,
                       const std::string& column) {
  const auto found = std::find(cells.begin(), cells.end(), raw.answer);
  if (found == cells.end()) {
    throw DataError("{}: {} is {}; want one of {}", place_of(file, raw.line), column,
                    in_quotes(raw.answer), joined(cells));
  }
  raw.example.label = static_cast<std::int32_t>(found - cells.begin());
}

void answer_with_value(RawExample& raw, const Path& file, const std::string& column) {
  const std::optional<double> value = number_of<double>(raw.answer);
  if (!value || !std::isfinite(*value)) {
    throw DataError("{}: {} is {}; want a finite number", place_of(file, raw.line), column,
                    in_quotes(raw.answer));
  }
  raw.example.value = *value;
}

// Moves the examples out of `raw`, with their answers read.
ExampleSet with_answers(std::vector<RawExample> raw, const Path& file,
                        const ExampleFormat& format) {
  ExampleSet set;
  std::vector<std::string> cells = format.label_cells;
  if (format.kind == AnswerKind::label) {
    if (cells.empty()) cells = labels_found(raw);
    set.labels = format.label_names.empty() ? cells : format.label_names;
    TY_CHECK(set.labels.size() == cells.size(), "{} names of {} labels", set.labels.size(),
             cells.size());
  }
  for (RawExample& one : raw) {
    if (format.kind == AnswerKind::label) answer_with_label(one, cells, file, format.answer);
    if (format.kind == AnswerKind::value) answer_with_value(one, file, format.answer);
    if (format.kind == AnswerKind::target) one.example.target = std::move(one.answer);
    set.examples.push_back(std::move(one.example));
  }
  return set;
}

}  // namespace

ExampleSet read_examples(const std::filesystem::path& file, const ExampleFormat& format,
                         const Note& note) {
  const std::string extension = lower_extension(file);
  const std::string text = text_of_file(file);
  std::vector<RawExample> raw;
  if (extension == ".jsonl") {
    raw = jsonl_examples(text, file, format);
  } else if (extension == ".tsv") {
    raw = tsv_examples(text, file, format, note);
  } else {
    throw DataError("{}: no examples in a file of this name; want a .tsv or .jsonl", file.string());
  }
  if (raw.empty()) throw DataError("{}: holds no examples", file.string());
  return with_answers(std::move(raw), file, format);
}

}  // namespace ty
