// Which kind of linear layer stands at which place: ordered rules on names, the last match wins.
//
// A rule may leave sizes open ("keep 30 %"); resolved() works them out for one layer, so that what
// was built can be printed, stored and built again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/config/fields.h"
#include "models/linear/base/spec.h"

namespace ty {

// A layer of a model and what it is made of (resolved).
struct LinearSite {
  std::string path;
  LinearShape shape;
  LinearSpec spec;
  std::string table = {};  // path of the token table that the layer reads; none: an own weight

  // Where its parameters stand.
  const std::string& place() const { return table.empty() ? path : table; }
  // The sizes in which its weight is stored, without bias: a table stands [out, in].
  LinearShape stored() const;
};

struct LinearRule {
  std::string match;  // pattern on the layer's path, e.g. "blocks.*.mlp.up"
  LinearSpec spec;
  std::string where = {};  // what errors call it; empty: linear[i], as in the job file

  friend bool operator==(const LinearRule&, const LinearRule&) = default;
};

// The keys of a rule in a job file.
void fields(config::Fields& f, LinearRule& rule);
void check(const LinearRule& rule, config::Checks& checks);

class LinearRules {
 public:
  LinearRules() = default;
  explicit LinearRules(std::vector<LinearRule> rules);
  // The spec for the layer at a path, all sizes worked out; dense if no rule matches. Throws
  // ConfigError that names the rule, the layer and what would be right.
  LinearSpec choose(const std::string& path, const LinearShape& shape) const;
  // What errors call the rule for a path: "linear[2]"; "linear" if none matches.
  std::string name_for(const std::string& path) const;
  // Throws ConfigError for the first rule that matches none of the sites.
  void check_all_used(const std::vector<LinearSite>& sites) const;

 private:
  std::optional<std::size_t> find(const std::string& path) const;
  std::string name_of(std::size_t rule) const;
  // An error of a rule, at its key of the job file if it is from there.
  [[noreturn]] void fail(std::size_t rule, const char* key, const std::string& message) const;

  std::vector<LinearRule> rules_;
  // A stored model has a rule for each of its layers: those are found by name, not by trying them.
  std::unordered_map<std::string, std::size_t> plain_;  // the last rule for a name
  std::vector<std::size_t> patterns_;                   // rules for several names, in order
};

// One rule for each site that is not dense: rules that build the same model again.
std::vector<LinearRule> exact_rules(const std::vector<LinearSite>& sites);

}  // namespace ty
