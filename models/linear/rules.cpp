#include "models/linear/rules.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "core/base/error.h"
#include "core/base/glob.h"
#include "models/linear/kinds.h"

namespace ty {

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

void fields(config::Fields& f, LinearRule& rule) {
  f.field("match", rule.match,
          "pattern on the path of the layer, as in blocks.*.mlp.* or blocks.{0..16}.mlp.*; "
          "embeddings.token is the token table",
          config::required());
  fields(f, rule.spec);
  f.field(
      "layout", rule.layout,
      "how tensor ranks hold it: each a part of it, all of it, or (svd, for comparison) a part of "
      "its rank or of both factors; auto: split or whole, whatever takes less time by a model; see "
      "plan",
      {{"auto", LinearLayout::automatic},
       {"split", LinearLayout::split},
       {"whole", LinearLayout::whole},
       {"rank", LinearLayout::rank},
       {"hidden", LinearLayout::hidden}});
}

void check(const LinearRule& rule, config::Checks& checks) { check(rule.spec, checks); }

std::string LinearRules::name_of(std::size_t rule) const {
  return rules_[rule].where.empty() ? fmt::format("linear[{}]", rule) : rules_[rule].where;
}

void LinearRules::fail(std::size_t rule, const char* key, const std::string& message) const {
  const std::string place = name_of(rule) + key;
  if (rules_[rule].where.empty()) throw ConfigError(Key{place}, "{}", message);
  throw ConfigError("{}: {}", place, message);
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

bool LinearRules::name_hidden_layers() const {
  return std::any_of(rules_.begin(), rules_.end(),
                     [](const LinearRule& rule) { return rule.layout == LinearLayout::hidden; });
}

LinearLayout LinearRules::layout_for(const std::string& path) const {
  const auto rule = find(path);
  return rule ? rules_[*rule].layout : LinearLayout::automatic;
}

std::string LinearRules::name_for(const std::string& path) const {
  const auto rule = find(path);
  return rule ? name_of(*rule) : "linear";
}

LinearSpec LinearRules::choose(const std::string& path, const LinearShape& shape) const {
  const auto rule = find(path);
  if (!rule) return {};
  try {
    return resolved(rules_[*rule].spec, shape);
  } catch (const ConfigError& e) {
    fail(*rule, "", fmt::format("{} [{}, {}]: {}", path, shape.in, shape.out, e.what()));
  }
}

LayoutOptions LinearRules::layouts_of(const std::string& path, const LinearSpec& spec,
                                      const LinearShape& shape, Split split,
                                      Sharing sharing) const {
  const auto rule = find(path);
  if (!rule) return ty::layouts_of(spec, shape, split, sharing);
  sharing.layout = rules_[*rule].layout;
  try {
    return ty::layouts_of(spec, shape, split, sharing);
  } catch (const ConfigError& e) {
    fail(*rule, "", fmt::format("{} [{}, {}]: {}", path, shape.in, shape.out, e.what()));
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
    fail(i, ".match",
         fmt::format("\"{}\" matches no linear layer; there are: {}", rules_[i].match,
                     names_of(sites)));
  }
}

std::vector<LinearRule> exact_rules(const std::vector<LinearSite>& sites) {
  std::vector<LinearRule> rules;
  for (const LinearSite& site : sites) {
    if (!is_dense(site.spec)) rules.push_back({site.path, site.spec});
  }
  return rules;
}

}  // namespace ty
