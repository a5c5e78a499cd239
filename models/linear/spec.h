// Which kind of linear map stands at which place: ordered rules on names, the last match wins.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ty {

struct DenseSpec {};

// One alternative per kind.
using LinearSpec = std::variant<DenseSpec>;

// The name of a spec's kind, as in the job file.
std::string_view kind_name(const LinearSpec& spec);

struct LinearRule {
  std::string match;  // pattern on the map's path, e.g. "blocks.*.mlp.up"
  LinearSpec spec;
};

class LinearRules {
 public:
  LinearRules() = default;
  explicit LinearRules(std::vector<LinearRule> rules) : rules_(std::move(rules)) {}
  // The spec for a path; dense if no rule matches.
  const LinearSpec& resolve(std::string_view path) const;
  // Throws ConfigError for the first rule that matches none of the paths.
  void check_all_used(const std::vector<std::string>& paths) const;

 private:
  std::vector<LinearRule> rules_;
};

}  // namespace ty
