// What text files are made of: lines with their numbers, cells of a TSV row, the JSON of a line.
// All readers of text use these, so a file means the same to each of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace ty {

// ".jsonl" of a file a.JSONL.
std::string lower_extension(const std::filesystem::path& file);

// All of a file as UTF-8 (text_encoding.h). Throws DataError for a file that is no text, also for
// .json and .csv, with what is read instead.
std::string text_of_file(const std::filesystem::path& file);

// Lines without their ends, "\n" or "\r\n"; views of `text`.
std::vector<std::string_view> lines_of(std::string_view text);
// "FILE:LINE" for messages; `line` counts from 0, the message from 1.
std::string place_of(const std::filesystem::path& file, std::size_t line);
inline constexpr std::string_view kWhiteSpace = " \t\r\n\v\f";
// True if a line has nothing but white space.
bool is_blank(std::string_view line);
// Runs of anything but white space.
std::int64_t count_words(std::string_view text);

// Cells between tabs, at least one; TSV here has no quoting. Views of `line`.
std::vector<std::string_view> cells_of(std::string_view line);

// The value of a line of JSON; NaN, Infinity and -Infinity, which Python writes, are null. Throws
// DataError that begins with `place`.
nlohmann::json json_of(std::string_view line, const std::string& place);

}  // namespace ty
