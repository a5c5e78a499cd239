#include "models/linear/spec.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "core/base/error.h"
#include "core/base/glob.h"
#include "models/linear/ttm_spec.h"

namespace ty {

std::string_view kind_name(const LinearSpec& spec) {
  static constexpr std::string_view kNames[] = {"dense", "ttm", "svd"};
  static_assert(std::size(kNames) == std::variant_size_v<LinearSpec>);
  return kNames[spec.index()];
}

std::string describe(const LinearSpec& spec) {
  if (const auto* ttm = std::get_if<TtmSpec>(&spec)) {
    return "ttm " + to_string(shape_of(*ttm));
  }
  if (const auto* svd = std::get_if<SvdSpec>(&spec)) return fmt::format("svd rank {}", svd->rank);
  return "dense";
}

std::int64_t num_weights(const LinearSpec& spec, const LinearShape& shape) {
  if (const auto* ttm = std::get_if<TtmSpec>(&spec)) {
    return shape_of(*ttm).num_parameters();
  }
  if (const auto* svd = std::get_if<SvdSpec>(&spec)) return svd->rank * (shape.in + shape.out);
  return shape.in * shape.out;
}

std::int64_t weights_in_share(double share, const LinearShape& shape) {
  const double all = static_cast<double>(shape.in) * static_cast<double>(shape.out);
  // 0.29 of 100 is 28.999999999999996 in binary.
  return static_cast<std::int64_t>(std::floor(share * all * (1.0 + 1e-12)));
}

LinearShape LinearSite::stored() const {
  LinearShape result = shape;
  if (!table.empty()) std::swap(result.in, result.out);
  result.bias = false;
  return result;
}

namespace {

// "blocks.0.attn.qkv, .., blocks.1.mlp.down and 40 more".
std::string names_of(const std::vector<LinearSite>& sites) {
  constexpr std::size_t kShown = 12;
  std::vector<std::string> paths;
  for (const LinearSite& site : sites) {
    if (paths.size() < kShown) paths.push_back(site.path);
  }
  return fmt::format(
      "{}{}", fmt::join(paths, ", "),
      sites.size() > kShown ? fmt::format(" and {} more", sites.size() - kShown) : "");
}

}  // namespace

std::string LinearRules::name_of(std::size_t rule) const {
  return rules_[rule].where.empty() ? fmt::format("linear[{}]", rule) : rules_[rule].where;
}

LinearRules::LinearRules(std::vector<LinearRule> rules) : rules_(std::move(rules)) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (is_plain_name(rules_[i].match)) {
      plain_[rules_[i].match] = i;
    } else {
      patterns_.push_back(i);
    }
  }
}

std::optional<std::size_t> LinearRules::find(const std::string& path) const {
  std::optional<std::size_t> last;
  if (const auto plain = plain_.find(path); plain != plain_.end()) last = plain->second;
  for (auto i = patterns_.rbegin(); i != patterns_.rend() && (!last || *i > *last); ++i) {
    if (glob_match(rules_[*i].match, path)) return *i;
  }
  return last;
}

std::string LinearRules::name_for(const std::string& path) const {
  const auto rule = find(path);
  return rule ? name_of(*rule) : "linear";
}

LinearSpec LinearRules::choose(const std::string& path, const LinearShape& shape) const {
  const auto rule = find(path);
  if (!rule) return DenseSpec{};
  try {
    return resolved(rules_[*rule].spec, shape);
  } catch (const ConfigError& e) {
    throw ConfigError("{}: {} [{}, {}]: {}", name_of(*rule), path, shape.in, shape.out, e.what());
  }
}

void LinearRules::check_all_used(const std::vector<LinearSite>& sites) const {
  std::unordered_set<std::string_view> paths;
  for (const LinearSite& site : sites) paths.insert(site.path);
  const auto is_used = [&](const std::string& match) {
    return is_plain_name(match)
               ? paths.contains(match)
               : std::any_of(sites.begin(), sites.end(),
                             [&](const LinearSite& site) { return glob_match(match, site.path); });
  };
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (is_used(rules_[i].match)) continue;
    throw ConfigError("{}.match: \"{}\" matches no linear map; there are: {}", name_of(i),
                      rules_[i].match, names_of(sites));
  }
}

std::vector<LinearRule> exact_rules(const std::vector<LinearSite>& sites) {
  std::vector<LinearRule> rules;
  for (const LinearSite& site : sites) {
    if (!std::holds_alternative<DenseSpec>(site.spec)) rules.push_back({site.path, site.spec});
  }
  return rules;
}

}  // namespace ty
