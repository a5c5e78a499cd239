#include "models/huggingface/linear_format.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/config/json_form.h"
#include "core/io/json_fields.h"
#include "models/linear/kinds.h"

namespace ty {

namespace {

using Json = nlohmann::json;

constexpr const char* kKey = "trainyard_linear";

// A path as our own layers have.
bool is_plain(std::string_view path) {
  return path.size() <= 100 && std::all_of(path.begin(), path.end(), [](unsigned char c) {
           return std::isalnum(c) || c == '.' || c == '_';
         });
}

}  // namespace

Json linear_spec_to_json(const LinearSpec& spec) {
  LinearSpec value = spec;
  LinearSpec usual = default_of_kind(spec);
  return config::to_json(config::make_section(value), config::make_section(usual));
}

void set_linear_rules(Json& config, const std::vector<LinearRule>& rules) {
  config.erase(kKey);
  for (const LinearRule& rule : rules) config[kKey][rule.match] = linear_spec_to_json(rule.spec);
}

std::vector<LinearRule> linear_rules_from_json(const Json& config, const std::string& file) {
  std::vector<LinearRule> rules;
  if (!config.contains(kKey)) return rules;
  const std::string place = fmt::format("{}: {}", file, kKey);
  const JsonFields paths(config.at(kKey), place);
  for (const auto& [path, json] : config.at(kKey).items()) {
    if (!is_plain(path)) throw DataError("{}.{}: no linear layer's name", place, in_quotes(path));
    const std::string key = fmt::format("{}.{}", kKey, path);
    LinearSpec spec;
    config::from_json(json, config::make_section(spec), file, key);
    rules.push_back({path, spec, key});
  }
  return rules;
}

}  // namespace ty
