#include "models/huggingface/linear_format.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace ty {

namespace {

using Json = nlohmann::json;

constexpr const char* kKey = "trainyard_linear";

LinearSpec from_json(const Json& json, const std::string& where) {
  try {
    const auto kind = json.at("kind").get<std::string>();
    if (kind == "dense") return DenseSpec{};
    if (kind == "svd") return SvdSpec{.rank = json.at("rank").get<std::int64_t>()};
    if (kind == "ttm") {
      TtmSpec spec;
      spec.in = json.at("in").get<std::vector<std::int64_t>>();
      spec.out = json.at("out").get<std::vector<std::int64_t>>();
      spec.ranks = json.at("ranks").get<std::vector<std::int64_t>>();
      // One core has no inner bond; resolve() wants one of rank, ranks and keep.
      if (spec.ranks.empty()) spec.rank = 1;
      return spec;
    }
    throw DataError("{}.kind: \"{}\"; expected dense, ttm or svd", where, kind);
  } catch (const Json::exception&) {
    throw DataError("{}: {} does not say what the map is made of", where, json.dump());
  }
}

}  // namespace

Json linear_spec_to_json(const LinearSpec& spec) {
  Json json = {{"kind", kind_name(spec)}};
  if (const auto* ttm = std::get_if<TtmSpec>(&spec)) {
    json["in"] = ttm->in;
    json["out"] = ttm->out;
    json["ranks"] = ttm->ranks;
  } else if (const auto* svd = std::get_if<SvdSpec>(&spec)) {
    json["rank"] = svd->rank;
  }
  return json;
}

void add_linear_rules(Json& config, const std::vector<LinearRule>& rules) {
  for (const LinearRule& rule : rules) config[kKey][rule.match] = linear_spec_to_json(rule.spec);
}

std::vector<LinearRule> linear_rules_from_json(const Json& config, const std::string& file) {
  std::vector<LinearRule> rules;
  if (!config.contains(kKey)) return rules;
  if (!config.at(kKey).is_object()) throw DataError("{}: {}: wants an object", file, kKey);
  for (const auto& [path, json] : config.at(kKey).items()) {
    rules.push_back({path, from_json(json, fmt::format("{}: {}.{}", file, kKey, path))});
  }
  return rules;
}

}  // namespace ty
