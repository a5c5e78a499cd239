// Formats numbers and tables for a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ty {

// "1.38 M", "9.0 k", "512": at most four significant characters and a unit prefix.
std::string human_count(double value);
// "1.38 M (1382400)"; small numbers without the second form.
std::string count_with_digits(std::int64_t count);
// "41.2 MiB".
std::string human_bytes(double bytes);
// "7.32 ms", of seconds.
std::string human_milliseconds(double seconds);
// "1:02", "2:13:05", "3d 04:10".
std::string human_duration(double seconds);

// Columns as wide as their widest cell; the first is left-aligned, the others right-aligned.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  // Lines without trailing spaces, each ending in '\n'; `indent` spaces before each.
  std::string str(int indent = 2) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace ty
