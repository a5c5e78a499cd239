#include "launch/doctor/parse.h"

#include <algorithm>
#include <charconv>

namespace ty {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\n'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the text up to `end` off the front.
std::string_view next(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

std::int64_t integer(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

std::string proc_value(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = next(text, '\n');
    if (trimmed(next(line, ':')) == key) return std::string(trimmed(line));
  }
  return "";
}

bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    if (next(list, ' ') == word) return true;
  }
  return false;
}

std::int64_t bytes_of_kilobytes(std::string_view value) { return integer(trimmed(value)) * 1024; }

std::string chosen_word(std::string_view text) {
  next(text, '[');
  return std::string(next(text, ']'));
}

std::vector<std::string> shared_libraries(std::string_view maps) {
  std::vector<std::string> libraries;
  while (!maps.empty()) {
    const std::string_view line = next(maps, '\n');
    const std::size_t path = line.find('/');
    if (path == std::string_view::npos || line.find(".so", path) == std::string_view::npos)
      continue;
    const std::string library(line.substr(path));
    if (std::find(libraries.begin(), libraries.end(), library) == libraries.end()) {
      libraries.push_back(library);
    }
  }
  return libraries;
}

double cores_of_cpu_max(std::string_view text) {
  const std::int64_t quota = integer(next(text, ' ')), period = integer(trimmed(text));
  return quota > 0 && period > 0 ? static_cast<double>(quota) / static_cast<double>(period) : 0.0;
}

std::string cgroup_path(std::string_view text, std::string_view controller) {
  while (!text.empty()) {
    std::string_view line = next(text, '\n');
    next(line, ':');  // number of the hierarchy
    std::string_view controllers = next(line, ':');
    bool found = controllers.empty() && controller.empty();
    while (!controllers.empty()) found = next(controllers, ',') == controller || found;
    if (found) return std::string(line);
  }
  return "";
}

}  // namespace ty
