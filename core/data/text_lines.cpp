#include "core/data/text_lines.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/data/text_encoding.h"
#include "core/io/file.h"

namespace ty {

namespace {

// What is known by its name only.
void refuse_by_extension(const Path& file) {
  const std::string extension = lower_extension(file);
  if (extension == ".json") {
    throw DataError("{}: a JSON document is no text; want an object per line, in a .jsonl file",
                    file.string());
  }
  if (extension == ".csv") {
    throw DataError("{}: values separated by commas are not read; want tabs, in a .tsv file",
                    file.string());
  }
}

std::string without_non_numbers(std::string_view line) {
  std::string result;
  bool in_string = false;
  while (!line.empty()) {
    std::size_t length = in_string && line[0] == '\\' ? std::min<std::size_t>(2, line.size()) : 1;
    if (line[0] == '"') in_string = !in_string;
    std::string_view kept = line.substr(0, length);
    for (std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
      if (in_string || !line.starts_with(word)) continue;
      length = word.size();
      kept = "null";
    }
    result += kept;
    line.remove_prefix(length);
  }
  return result;
}

}  // namespace

std::string lower_extension(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return extension;
}

std::string text_of_file(const std::filesystem::path& file) {
  refuse_by_extension(file);
  const MappedFile mapped(file);
  return text_of({reinterpret_cast<const char*>(mapped.bytes().data()), mapped.bytes().size()},
                 file.string());
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return lines;
}

std::string place_of(const std::filesystem::path& file, std::size_t line) {
  return fmt::format("{}:{}", file.string(), line + 1);
}

bool is_blank(std::string_view line) { return line.find_first_not_of(kWhiteSpace) == line.npos; }

std::int64_t count_words(std::string_view text) {
  std::int64_t words = 0;
  for (std::size_t at = text.find_first_not_of(kWhiteSpace); at != text.npos; ++words) {
    at = text.find_first_not_of(kWhiteSpace, text.find_first_of(kWhiteSpace, at));
  }
  return words;
}

std::vector<std::string_view> cells_of(std::string_view line) {
  std::vector<std::string_view> cells;
  for (std::size_t tab = 0; tab != line.npos;) {
    tab = line.find('\t');
    cells.push_back(line.substr(0, tab));
    if (tab != line.npos) line.remove_prefix(tab + 1);
  }
  return cells;
}

nlohmann::json json_of(std::string_view line, const std::string& place) {
  auto json = nlohmann::json::parse(line, nullptr, false);
  if (json.is_discarded()) json = nlohmann::json::parse(without_non_numbers(line), nullptr, false);
  if (json.is_discarded()) throw DataError("{}: not a JSON object", place);
  return json;
}

}  // namespace ty
