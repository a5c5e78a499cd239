// What follows a verb on the command line: words, overrides of the job file, and options, whose
// values are parsed and checked before the verb runs. The allowed values of an option are described
// by the same rules as those of a key of the job file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/leaf.h"
#include "core/config/rule.h"

namespace ty {

// Types of option values. The items of a list are separated by commas; a list may be given several
// times.
inline constexpr config::LeafType kText = {config::ScalarKind::string, false, ""};
inline constexpr config::LeafType kTexts = {config::ScalarKind::string, true, ""};
inline constexpr config::LeafType kInteger = {config::ScalarKind::integer, false, ""};
inline constexpr config::LeafType kIntegers = {config::ScalarKind::integer, true, ""};
inline constexpr config::LeafType kNumber = {config::ScalarKind::number, false, ""};

struct OptionSpec {
  std::string name;   // "--prompt", or "-n,--ranks": verbs ask for the last of them
  std::string value;  // placeholder of its value; empty: a flag
  std::string help;
  config::LeafType type = kText;
  config::Rule rule = {};
  std::vector<std::string> forms = {};  // of the verb that accept it; empty: all of them

  bool is_flag() const { return value.empty(); }
  std::string key() const { return name.substr(name.rfind(',') + 1); }
};

// Parses the value of an option. Throws UsageError that names the option, the value and what is
// allowed.
std::vector<config::Scalar> parse_option(const OptionSpec& spec, std::string_view text);

// What the user typed after the verb.
class Arguments {
 public:
  std::vector<std::string> words;      // what is neither option nor override, in order
  std::vector<std::string> overrides;  // dotted.key=value
  std::map<std::string, std::vector<config::Scalar>> options;  // by name; empty for a flag
  std::vector<std::string> argv;                               // everything, for the run's manifest

  bool flag(const std::string& name) const { return options.contains(name); }
  // The value of an option of this type; `otherwise`, or an empty list, if it was not given.
  std::string text(const std::string& name, const std::string& otherwise) const;
  std::int64_t integer(const std::string& name, std::int64_t otherwise) const;
  double number(const std::string& name, double otherwise) const;
  std::vector<std::string> list(const std::string& name) const;
  std::vector<std::int64_t> integers(const std::string& name) const;
  // Word i; throws UsageError "VERB: WHAT is missing" if there is none.
  const std::string& word(std::size_t i, std::string_view what) const;
};

}  // namespace ty
