// Factorised linear layers in a model directory: their tensors are stored under our names
// ("..core1", "..a", "..b"), and "trainyard_linear" in config.json gives the spec of each layer.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "models/linear/rules.h"

namespace ty {

// {"kind": "ttm", "in": [..], ..}: the keys of a rule that differ from their defaults.
nlohmann::json linear_spec_to_json(const LinearSpec& spec);
// Sets {"trainyard_linear": {"blocks.0.mlp.up": {"kind": "ttm", "in": [..], ..}}}; removes it if
// all layers are dense. Rules must be exact, one path each.
void set_linear_rules(nlohmann::json& config, const std::vector<LinearRule>& rules);
// The rules of a config.json; none if it has no such entry. Throws DataError that names `file` and
// the key.
std::vector<LinearRule> linear_rules_from_json(const nlohmann::json& config,
                                               const std::string& file);

}  // namespace ty
