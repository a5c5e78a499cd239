// Rules that put an adapter beside the linear layers of blocks, whatever those are made of; of the
// rules that match a layer the last one counts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/linear/bottleneck/bottleneck.h"
#include "models/linear/lora/lora.h"
#include "models/linear/rules.h"

namespace ty {

enum class AdapterKind : std::uint8_t { lora, bottleneck };

struct AdapterRule {
  std::string match;  // pattern on the layer's path, e.g. "blocks.*.attn.*"
  AdapterKind kind = AdapterKind::lora;
  LoraOptions lora = {};              // of that kind
  BottleneckOptions bottleneck = {};  // of that one

  friend bool operator==(const AdapterRule&, const AdapterRule&) = default;
};

// The keys of a rule in a job file.
void fields(config::Fields& f, AdapterRule& rule);
void check(const AdapterRule& rule, config::Checks& checks);

// The rules of a model whose layers are `sites`, with adapters added: those, and one for each layer
// that gets one. Layers of heads and embeddings are never adapted. Throws ConfigError at
// adapters[i] for a rule that matches no layer or does not fit one, and where a layer has an
// adapter already or a layout that adapters have not.
std::vector<LinearRule> with_adapters(std::vector<LinearRule> rules,
                                      const std::vector<LinearSite>& sites,
                                      const std::vector<AdapterRule>& adapters);

// The number of the rule for a layer, the last that matches; none if it gets no adapter.
std::optional<std::size_t> adapter_rule_for(const std::vector<AdapterRule>& adapters,
                                            const std::string& path);

// Whether a layer lies in a block, so that adapters may stand beside it.
bool is_in_block(const std::string& path);

// What a layer's adapter stands beside; null if the layer has none.
const LinearSpec* adapted(const LinearSpec& spec);
// The adapter of such a layer, as it is now, beside something else.
LinearSpec adapter_beside(const LinearSpec& spec, LinearSpec base);

// Whether a layer of these has an adapter.
bool have_adapters(const std::vector<LinearRule>& rules);

// Whether a parameter belongs to an adapter, by its name.
bool is_adapter(std::string_view parameter);

}  // namespace ty
