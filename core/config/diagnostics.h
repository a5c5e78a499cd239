// Collects everything that is wrong with a job, to be reported at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/config/node.h"

namespace ty::config {

inline constexpr std::size_t kMostErrorsShown = 20;

class Diagnostics {
 public:
  // Records one error; `key` is dotted and may be empty.
  void add(const Place& place, std::string_view key, std::string_view message);

  std::size_t size() const { return found_.size(); }
  bool empty() const { return found_.empty(); }
  // Throws ConfigError if there is any error: one line each, ordered by file and position; beyond
  // kMostErrorsShown lines only the number of the remaining ones.
  void throw_if_any() const;

 private:
  struct Found {
    Place place;
    std::string line;
  };
  std::vector<Found> found_;
};

// User text made safe for a one-line message: quoted and escaped if necessary, and shortened.
std::string shown(std::string_view text, bool quoted);

// The words, joined by ", ".
std::string joined(const std::vector<std::string>& words);

// `text` in double quotes with escapes, as YAML and JSON read it.
std::string in_quotes(std::string_view text);

}  // namespace ty::config
