// Rules that put an adapter beside the linear layers of blocks, whatever those are made of; of the
// rules that match a layer the last one counts.
#pragma once

#include <string>
#include <vector>

#include "models/linear/lora/lora.h"
#include "models/linear/rules.h"

namespace ty {

enum class AdapterKind : std::uint8_t { lora };

struct AdapterRule {
  std::string match;  // pattern on the layer's path, e.g. "blocks.*.attn.*"
  AdapterKind kind = AdapterKind::lora;
  LoraOptions lora = {};

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

// Whether a layer of these has an adapter.
bool have_adapters(const std::vector<LinearRule>& rules);

}  // namespace ty
