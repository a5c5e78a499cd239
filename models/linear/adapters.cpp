#include "models/linear/adapters.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/glob.h"
#include "models/linear/guided/guided.h"

namespace ty {

bool is_in_block(const std::string& path) {
  return path.starts_with("blocks.") || path.find(".blocks.") != std::string::npos;
}

namespace {

std::string name_of(std::size_t rule) { return fmt::format("adapters[{}]", rule); }

LinearRule adapted(const LinearSite& site, const AdapterRule& rule, LinearLayout layout) {
  if (site.spec.as<LoraSpec>() != nullptr) {
    throw ConfigError(
        "has an adapter already; add it into the weights first: trainyard export --dense");
  }
  if (site.spec.as<GuidedSpec>() != nullptr) {
    throw ConfigError("has a guide still; train it to its end first, or trainyard export --dense");
  }
  if (layout == LinearLayout::rank) {
    throw ConfigError("adapters have no layout: rank; want auto, split or whole");
  }
  return {.match = site.path,
          .spec = resolved(LinearSpec(LoraSpec{rule.lora, site.spec}), site.shape),
          .layout = layout};
}

void check_all_used(const std::vector<AdapterRule>& adapters,
                    const std::vector<LinearSite>& sites) {
  for (std::size_t i = 0; i < adapters.size(); ++i) {
    const bool is_used = std::any_of(sites.begin(), sites.end(), [&](const LinearSite& site) {
      return is_in_block(site.path) && glob_match(adapters[i].match, site.path);
    });
    if (is_used) continue;
    std::vector<std::string> paths;
    for (const LinearSite& site : sites) {
      if (site.path.starts_with("blocks.0.")) paths.push_back(site.path);
    }
    throw ConfigError(Key{name_of(i) + ".match"},
                      "\"{}\" matches no linear layer of a block; there are: {}, ..",
                      adapters[i].match, fmt::join(paths, ", "));
  }
}

}  // namespace

void fields(config::Fields& f, AdapterRule& rule) {
  f.field("match", rule.match, "pattern on the path of the layer, as in blocks.*.attn.*",
          config::required());
  f.field("kind", rule.kind, "what is trained beside the layer", {{"lora", AdapterKind::lora}});
  fields(f, rule.lora);
}

void check(const AdapterRule& rule, config::Checks& checks) {
  if (const auto fault = fault_of(rule.lora)) checks.fail(fault->key, "{}", fault->message);
}

std::vector<LinearRule> with_adapters(std::vector<LinearRule> rules,
                                      const std::vector<LinearSite>& sites,
                                      const std::vector<AdapterRule>& adapters) {
  check_all_used(adapters, sites);
  const LinearRules before(rules);
  if (before.name_hidden_layers()) {
    throw ConfigError(Key{"adapters"},
                      "adapters have no layout: hidden; want auto, split or whole");
  }
  for (const LinearSite& site : sites) {
    const auto rule = adapter_rule_for(adapters, site.path);
    if (!rule) continue;
    try {
      rules.push_back(adapted(site, adapters[*rule], before.layout_for(site.path)));
    } catch (const ConfigError& e) {
      throw ConfigError(Key{name_of(*rule)}, "{} [{}, {}]: {}", site.path, site.shape.in,
                        site.shape.out, e.what());
    }
    rules.back().where = name_of(*rule);
  }
  return rules;
}

std::optional<std::size_t> adapter_rule_for(const std::vector<AdapterRule>& adapters,
                                            const std::string& path) {
  if (!is_in_block(path)) return std::nullopt;
  std::size_t i = adapters.size();
  while (i > 0 && !glob_match(adapters[i - 1].match, path)) --i;
  return i == 0 ? std::nullopt : std::optional(i - 1);
}

bool have_adapters(const std::vector<LinearRule>& rules) {
  return std::any_of(rules.begin(), rules.end(),
                     [](const LinearRule& rule) { return rule.spec.as<LoraSpec>() != nullptr; });
}

}  // namespace ty
