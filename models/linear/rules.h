// Which kind each linear layer has: ordered rules on layer names, of which the last match wins.
//
// A rule may leave sizes open ("keep 30 %"); resolved() computes them for one layer, so that what
// was built can be printed, stored and rebuilt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/config/fields.h"
#include "models/linear/base/layout.h"

namespace ty {

// What reads a weight: the products of a linear layer, the ids of a token table [V, C], or both, if
// the head is tied to that.
enum class WeightReaders : std::uint8_t { products, ids, both };

// A layer of a model, or a token table, and its resolved spec.
struct LinearSite {
  std::string path;
  LinearShape shape;
  LinearSpec spec;
  WeightReaders readers = WeightReaders::products;
  LayoutChoice layout = {};  // how ranks hold it

  bool is_table() const { return readers != WeightReaders::products; }
};

struct LinearRule {
  std::string match;  // pattern on the layer's path, e.g. "blocks.*.mlp.up", "embeddings.token"
  LinearSpec spec;
  std::string where = {};  // its name in errors; empty: linear[i], as in the job file
  LinearLayout layout = LinearLayout::automatic;

  friend bool operator==(const LinearRule&, const LinearRule&) = default;
};

// The keys of a rule in a job file.
void fields(config::Fields& f, LinearRule& rule);
void check(const LinearRule& rule, config::Checks& checks);

class LinearRules {
 public:
  LinearRules() = default;
  explicit LinearRules(std::vector<LinearRule> rules);
  // The spec of the layer at a path, with all sizes resolved; dense if no rule matches. Throws
  // ConfigError that names the rule, the layer and what would be valid.
  LinearSpec choose(const std::string& path, const LinearShape& shape) const;
  // How ranks of a sharing can hold that layer. Throws ConfigError likewise.
  LayoutOptions layouts_of(const std::string& path, const LinearSpec& spec,
                           const LinearShape& shape, Split split, Sharing sharing) const;
  // Whether a rule says hidden: then ranks divide what lies between layers by columns.
  bool name_hidden_layers() const;
  // What the rule for that layer says of it; automatic without one.
  LinearLayout layout_for(const std::string& path) const;
  // The name in errors of the rule for a path: "linear[2]"; "linear" if none matches.
  std::string name_for(const std::string& path) const;
  // Throws ConfigError for the first rule that matches none of the sites.
  void check_all_used(const std::vector<LinearSite>& sites) const;

 private:
  std::optional<std::size_t> find(const std::string& path) const;
  std::string name_of(std::size_t rule) const;
  // Throws an error of a rule, at its key if it comes from the job file.
  [[noreturn]] void fail(std::size_t rule, const char* key, const std::string& message) const;

  std::vector<LinearRule> rules_;
  // A stored model has a rule for each of its layers; those are looked up by name rather than tried
  // one by one.
  std::unordered_map<std::string, std::size_t> plain_;  // the last rule for a name
  std::vector<std::size_t> patterns_;                   // rules for several names, in order
};

// One exact rule for each site that is not dense; together they rebuild the same model.
std::vector<LinearRule> exact_rules(const std::vector<LinearSite>& sites);

}  // namespace ty
