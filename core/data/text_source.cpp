#include "core/data/text_source.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/base/error.h"
#include "core/data/text_lines.h"
#include "core/io/file.h"
#include "core/io/json.h"

namespace ty {

namespace {

constexpr std::size_t kLinesLookedAt = 100;  // to tell whether there is a header

std::string json_document(std::string_view line, const std::string& key, const std::string& place) {
  const nlohmann::json json = json_of(line, place);
  if (!json.is_object() || !json.contains(key) || !json[key].is_string()) {
    throw DataError(
        "{}: wants an object with a string \"{}\"; data.text_key (--text-key) names another", place,
        key);
  }
  return json[key].get<std::string>();
}

std::vector<std::string> jsonl_documents(std::string_view text, const Path& file,
                                         const TextOptions& options) {
  const std::vector<std::string_view> lines = lines_of(text);
  std::vector<std::string> documents;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (is_blank(lines[i])) continue;
    documents.push_back(json_document(lines[i], options.json_key, place_of(file, i)));
  }
  return documents;
}

using Row = std::vector<std::string_view>;

bool is_number(std::string_view cell) {
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  return error == std::errc() && end == cell.data() + cell.size();
}

bool is_one_word(std::string_view cell) {
  return !cell.empty() && cell.find_first_of(kWhiteSpace) == cell.npos;
}

// True if the cells of a column, the first one apart, all pass a test.
bool holds_below(const std::vector<Row>& rows, std::size_t column,
                 const std::function<bool(std::string_view)>& test) {
  return std::all_of(rows.begin() + 1, rows.end(),
                     [&](const Row& row) { return column < row.size() && test(row[column]); });
}

// The first row names the columns if it stands above a column of numbers without being one, or if
// it is a different word for each of several columns and stands above texts of several words.
bool has_header(const std::vector<Row>& rows, std::size_t text_column) {
  if (rows.size() < 2) return false;
  const Row& first = rows[0];
  for (std::size_t column = 0; column < first.size(); ++column) {
    if (!first[column].empty() && !is_number(first[column]) && holds_below(rows, column, is_number))
      return true;
  }
  const bool are_names = first.size() > 1 && std::all_of(first.begin(), first.end(), is_one_word) &&
                         std::set(first.begin(), first.end()).size() == first.size();
  return are_names && holds_below(rows, text_column, [](std::string_view cell) {
           return !cell.empty() && !is_one_word(cell);
         });
}

bool skips_first_line(const std::vector<std::string_view>& lines, const Path& file,
                      const TextOptions& options) {
  if (options.tsv_header != TsvHeader::automatic) return options.tsv_header == TsvHeader::present;
  std::vector<Row> rows;
  for (std::size_t i = 0; i < std::min(lines.size(), kLinesLookedAt); ++i) {
    if (!lines[i].empty()) rows.push_back(cells_of(lines[i]));
  }
  const bool found = has_header(rows, static_cast<std::size_t>(options.tsv_column));
  if (options.note && !lines.empty()) {
    options.note(fmt::format(
        "{}: the first line, {}, is {}; data.header (--header) {} changes that", file.string(),
        in_quotes(lines[0]), found ? "taken for a header" : "read as text", !found));
  }
  return found;
}

std::vector<std::string> tsv_documents(std::string_view text, const Path& file,
                                       const TextOptions& options) {
  const std::vector<std::string_view> lines = lines_of(text);
  const auto column = static_cast<std::size_t>(options.tsv_column);
  std::vector<std::string> documents;
  for (std::size_t i = skips_first_line(lines, file, options) ? 1 : 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const Row cells = cells_of(lines[i]);
    if (column >= cells.size()) {
      throw DataError("{}: {} columns, data.column (--column) {} wants at least {}",
                      place_of(file, i), cells.size(), column, column + 1);
    }
    documents.emplace_back(cells[column]);
  }
  return documents;
}

}  // namespace

std::vector<std::string> read_text_documents(const std::filesystem::path& file,
                                             const TextOptions& options) {
  std::string text = text_of_file(file);
  const std::string extension = lower_extension(file);
  std::vector<std::string> documents;
  if (extension == ".jsonl") {
    documents = jsonl_documents(text, file, options);
  } else if (extension == ".tsv") {
    documents = tsv_documents(text, file, options);
  } else {
    documents.push_back(std::move(text));
  }
  std::erase(documents, "");
  if (documents.empty()) throw DataError("{}: holds no text", file.string());
  return documents;
}

std::uint64_t fingerprint_of(const TextOptions& options, const std::filesystem::path& file) {
  const std::string extension = lower_extension(file);
  std::string meaning;
  if (extension == ".jsonl") meaning = "jsonl " + options.json_key;
  if (extension == ".tsv") {
    meaning = fmt::format("tsv {} {}", options.tsv_column, static_cast<int>(options.tsv_header));
  }
  return meaning.empty() ? 0 : XXH3_64bits(meaning.data(), meaning.size());
}

}  // namespace ty
