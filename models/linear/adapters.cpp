#include "models/linear/adapters.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/glob.h"
#include "models/linear/guided/guided.h"

namespace ty {

bool is_in_block(const std::string& path) {
  return path.starts_with("blocks.") || path.find(".blocks.") != std::string::npos;
}

namespace {

std::string name_of(std::size_t rule) { return fmt::format("adapters[{}]", rule); }

LinearSpec spec_of(const AdapterRule& rule, const LinearSpec& base) {
  switch (rule.kind) {
    case AdapterKind::lora:
      return LoraSpec{rule.lora, base};
    case AdapterKind::bottleneck:
      return BottleneckSpec{rule.bottleneck, base};
  }
  return base;
}

LinearRule with_adapter(const LinearSite& site, const AdapterRule& rule, LinearLayout layout) {
  if (adapted(site.spec) != nullptr) {
    throw ConfigError("has an adapter already{}",
                      is_one_matrix(site.spec)
                          ? "; add it into the weights first: trainyard export --dense"
                          : ", which cannot be added into the weights");
  }
  if (site.spec.as<GuidedSpec>() != nullptr) {
    throw ConfigError("has a guide still; train it to its end first, or trainyard export --dense");
  }
  if (layout == LinearLayout::rank) {
    throw ConfigError("adapters have no layout: rank; want auto, split or whole");
  }
  return {
      .match = site.path, .spec = resolved(spec_of(rule, site.spec), site.shape), .layout = layout};
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
  f.field(
      "kind", rule.kind,
      "what is trained beside the layer; lora: what is added to its weight; bottleneck: a narrow "
      "layer behind it, which is not linear",
      {{"lora", AdapterKind::lora}, {"bottleneck", AdapterKind::bottleneck}});
  f.when("kind", rule.kind == AdapterKind::lora, "with kind: lora", [&] { fields(f, rule.lora); });
  f.when("kind", rule.kind == AdapterKind::bottleneck, "with kind: bottleneck",
         [&] { fields(f, rule.bottleneck); });
}

void check(const AdapterRule& rule, config::Checks& checks) {
  if (rule.kind != AdapterKind::lora) return;
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
      rules.push_back(with_adapter(site, adapters[*rule], before.layout_for(site.path)));
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

const LinearSpec* adapted(const LinearSpec& spec) {
  if (const auto* lora = spec.as<LoraSpec>()) return &lora->of;
  if (const auto* bottleneck = spec.as<BottleneckSpec>()) return &bottleneck->of;
  return nullptr;
}

LinearSpec adapter_beside(const LinearSpec& spec, LinearSpec base) {
  if (const auto* bottleneck = spec.as<BottleneckSpec>()) {
    return BottleneckSpec{bottleneck->options, std::move(base)};
  }
  const auto* lora = spec.as<LoraSpec>();
  TY_CHECK(lora != nullptr, "a {} layer has no adapter", kind_name(spec));
  LoraSpec beside = {lora->options, std::move(base)};
  beside.options.init = LoraInit::zero;  // it has begun, and takes nothing of that base
  return beside;
}

bool have_adapters(const std::vector<LinearRule>& rules) {
  return std::any_of(rules.begin(), rules.end(),
                     [](const LinearRule& rule) { return adapted(rule.spec) != nullptr; });
}

bool is_adapter(std::string_view parameter) {
  return parameter.find(".lora.") != std::string_view::npos ||
         parameter.find(".bottleneck.") != std::string_view::npos;
}

}  // namespace ty
