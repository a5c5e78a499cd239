// Everything that is wrong with a job, collected and reported in one go.
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
  // Throws ConfigError if there is any error: one line each, in the order of the files and of the
  // positions in them; after kMostErrorsShown lines only their number.
  void throw_if_any() const;

 private:
  struct Found {
    Place place;
    std::string line;
  };
  std::vector<Found> found_;
};

// User text made safe for one line of an error: quoted and escaped if need be, and shortened.
std::string shown(std::string_view text, bool quoted);

// Words with ", " between them.
std::string joined(const std::vector<std::string>& words);

// `text` in double quotes with escapes, as YAML and JSON read it.
std::string in_quotes(std::string_view text);

}  // namespace ty::config
