// Which kind of linear map stands at which place: ordered rules on names, the last match wins.
//
// A rule may leave sizes open ("keep 30 %"); resolved() works them out for one map, so that what
// was built can be printed, stored and built again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace ty {

// What a map needs to know before its kind is chosen.
struct LinearShape {
  std::int64_t in = 0;
  std::int64_t out = 0;
  bool bias = true;
  double weight_std = 0.02;  // of the initial dense weight's entries
};

// How factors start. normal: independent entries; orthogonal: the same distribution of the product,
// each factor but the last with orthonormal columns.
enum class FactorInit : std::uint8_t { normal, orthogonal };

struct DenseSpec {
  friend bool operator==(const DenseSpec&, const DenseSpec&) = default;
};

// W as a tensor train matrix.
struct TtmSpec {
  std::vector<std::int64_t> in = {}, out = {};  // modes, core by core; none: chosen
  std::int64_t cores = 3;                       // at most so many, where modes are chosen
  std::int64_t rank = 0;                        // of every bond; 0: see ranks and keep
  std::vector<std::int64_t> ranks = {};         // of each inner bond
  double keep = 0;          // weights, as a share of the dense map's; 0: see rank
  bool clip_ranks = false;  // to what the modes can use
  FactorInit init = FactorInit::normal;

  friend bool operator==(const TtmSpec&, const TtmSpec&) = default;
};

// W = A B with A [in, rank], B [rank, out].
struct SvdSpec {
  std::int64_t rank = 0;  // 0: see keep
  double keep = 0;        // weights, as a share of the dense map's
  FactorInit init = FactorInit::normal;

  friend bool operator==(const SvdSpec&, const SvdSpec&) = default;
};

// One alternative per kind.
using LinearSpec = std::variant<DenseSpec, TtmSpec, SvdSpec>;

// The name of a spec's kind, as in the job file.
std::string_view kind_name(const LinearSpec& spec);

// What is wrong with a spec, whatever map it is for; nothing if it can be resolved.
struct SpecFault {
  std::string key, message;  // "ranks", "3 are given, but 3 cores have 2 inner bonds"
};
std::optional<SpecFault> fault_of(const LinearSpec& spec);

// The spec with all sizes worked out for a map; resolving the result changes nothing. Throws
// ConfigError that says what would be right.
LinearSpec resolved(const LinearSpec& spec, const LinearShape& shape);

// A map of a model and what it is made of (resolved).
struct LinearSite {
  std::string path;
  LinearShape shape;
  LinearSpec spec;
  std::string table = {};  // path of the token table that the map reads; none: a weight of its own

  // Where its parameters stand.
  const std::string& place() const { return table.empty() ? path : table; }
  // The sizes in which its weight is stored, without bias: a table stands [out, in].
  LinearShape stored() const;
};
// The whole weights in a share of the dense map's.
std::int64_t weights_in_share(double share, const LinearShape& shape);
// Weights of a resolved spec, bias excluded.
std::int64_t num_weights(const LinearSpec& spec, const LinearShape& shape);
// "dense", "ttm in [16, 16, 4] out [16, 16, 16] ranks [72, 72]", "svd rank 64"
std::string describe(const LinearSpec& spec);

struct LinearRule {
  std::string match;  // pattern on the map's path, e.g. "blocks.*.mlp.up"
  LinearSpec spec;
  std::string where = {};  // what errors call it; empty: linear[i], as in the job file

  friend bool operator==(const LinearRule&, const LinearRule&) = default;
};

class LinearRules {
 public:
  LinearRules() = default;
  explicit LinearRules(std::vector<LinearRule> rules);
  // The spec for the map at a path, all sizes worked out; dense if no rule matches. Throws
  // ConfigError that names the rule, the map and what would be right.
  LinearSpec choose(const std::string& path, const LinearShape& shape) const;
  // What errors call the rule for a path: "linear[2]"; "linear" if none matches.
  std::string name_for(const std::string& path) const;
  // Throws ConfigError for the first rule that matches none of the sites.
  void check_all_used(const std::vector<LinearSite>& sites) const;

 private:
  std::optional<std::size_t> find(const std::string& path) const;
  std::string name_of(std::size_t rule) const;

  std::vector<LinearRule> rules_;
  // A stored model has a rule for each of its maps: those are found by name, not by trying them.
  std::unordered_map<std::string, std::size_t> plain_;  // the last rule for a name
  std::vector<std::size_t> patterns_;                   // rules for several names, in order
};

// One rule for each site that is not dense: rules that build the same model again.
std::vector<LinearRule> exact_rules(const std::vector<LinearSite>& sites);

}  // namespace ty
