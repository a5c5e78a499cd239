#include "models/huggingface/linear_format.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/json_fields.h"

namespace ty {

namespace {

using Json = nlohmann::json;

constexpr const char* kKey = "trainyard_linear";

constexpr IntegerRange kSizes = {1, std::int64_t{1} << 40};

// A path as our own maps have.
bool is_plain(std::string_view path) {
  return path.size() <= 100 && std::all_of(path.begin(), path.end(), [](unsigned char c) {
           return std::isalnum(c) || c == '.' || c == '_';
         });
}

LinearSpec from_json(const JsonFields& entry) {
  const std::string kind = entry.text("kind");
  if (kind == "dense") {
    entry.allow_only({"kind"});
    return DenseSpec{};
  }
  if (kind == "svd") {
    entry.allow_only({"kind", "rank"});
    return SvdSpec{.rank = entry.integer("rank", kSizes)};
  }
  if (kind != "ttm") entry.refuse("kind", "dense, ttm or svd");
  entry.allow_only({"kind", "in", "out", "ranks"});
  TtmSpec spec;
  spec.in = entry.integers("in", kSizes);
  spec.out = entry.integers("out", kSizes);
  spec.ranks = entry.integers("ranks", kSizes);
  return spec;
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
    if (!is_plain(path)) throw DataError("{}.{}: no linear map's name", place, in_quotes(path));
    const std::string key = fmt::format("{}.{}", kKey, path);
    const LinearSpec spec = from_json(JsonFields(json, fmt::format("{}: {}", file, key), "."));
    if (const auto fault = fault_of(spec)) {
      throw DataError("{}: {}.{}: {}", file, key, fault->key, fault->message);
    }
    rules.push_back({path, spec, key});
  }
  return rules;
}

}  // namespace ty
