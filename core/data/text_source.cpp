#include "core/data/text_source.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/base/error.h"
#include "core/io/file.h"

namespace ty {

namespace {

// Calls fn(line, number) for each line without its end; numbers count from 1.
void for_lines(std::string_view text,
               const std::function<void(std::string_view, std::int64_t)>& fn) {
  std::int64_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    fn(line, ++number);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

std::string json_document(std::string_view line, const std::string& key, const std::string& place) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (json.is_discarded()) throw DataError("{}: not a JSON object", place);
  if (!json.is_object() || !json.contains(key) || !json[key].is_string()) {
    throw DataError(
        "{}: wants an object with a string \"{}\"; data.text_key (--text-key) names another", place,
        key);
  }
  return json[key].get<std::string>();
}

std::string tsv_document(std::string_view line, std::int64_t column, const std::string& place) {
  for (std::int64_t at = 0;; ++at) {
    const std::size_t tab = line.find('\t');
    if (at == column) return std::string(line.substr(0, tab));
    if (tab == std::string_view::npos) {
      throw DataError("{}: {} columns, data.column (--column) {} wants at least {}", place, at + 1,
                      column, column + 1);
    }
    line.remove_prefix(tab + 1);
  }
}

}  // namespace

std::vector<std::string> read_text_documents(const std::filesystem::path& file,
                                             const TextOptions& options) {
  const MappedFile mapped(file);
  const std::string_view text(reinterpret_cast<const char*>(mapped.bytes().data()),
                              mapped.bytes().size());
  std::vector<std::string> documents;
  const auto place = [&](std::int64_t line) { return fmt::format("{}:{}", file.string(), line); };
  if (file.extension() == ".jsonl") {
    for_lines(text, [&](std::string_view line, std::int64_t number) {
      if (!line.empty()) documents.push_back(json_document(line, options.json_key, place(number)));
    });
  } else if (file.extension() == ".tsv") {
    for_lines(text, [&](std::string_view line, std::int64_t number) {
      if (number > 1 && !line.empty())
        documents.push_back(tsv_document(line, options.tsv_column, place(number)));
    });
  } else if (!text.empty()) {
    documents.emplace_back(text);
  }
  std::erase(documents, "");
  if (documents.empty()) throw DataError("{}: holds no text", file.string());
  return documents;
}

std::uint64_t fingerprint_of(const TextOptions& options, const std::filesystem::path& file) {
  std::string meaning;
  if (file.extension() == ".jsonl") meaning = "jsonl " + options.json_key;
  if (file.extension() == ".tsv") meaning = fmt::format("tsv {}", options.tsv_column);
  return meaning.empty() ? 0 : XXH3_64bits(meaning.data(), meaning.size());
}

}  // namespace ty
