#include "models/huggingface/linear_format.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/error.h"
#include "core/io/json.h"

namespace ty {

namespace {

using Json = nlohmann::json;

constexpr const char* kKey = "trainyard_linear";

// The keys of one map's entry. Errors name the file, the map and the key.
class Entry {
 public:
  Entry(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
    if (!json.is_object()) throw DataError("{}: {}; want an object", where_, shown(json));
  }
  void allow_only(std::initializer_list<std::string_view> keys) const {
    for (const auto& [key, value] : json_.items()) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
        throw DataError("{}.{}: unknown key; expected {}", where_, key, fmt::join(keys, ", "));
      }
    }
  }
  std::string text(const char* key) const {
    if (!at(key).is_string())
      throw DataError("{}.{}: {}; want a name", where_, key, shown(at(key)));
    return at(key).get<std::string>();
  }
  std::int64_t size(const char* key) const { return size(at(key), key); }
  std::vector<std::int64_t> sizes(const char* key) const {
    if (!at(key).is_array()) {
      throw DataError("{}.{}: {}; want a list of integers", where_, key, shown(at(key)));
    }
    std::vector<std::int64_t> result;
    for (const Json& each : at(key)) result.push_back(size(each, key));
    return result;
  }
  const std::string& where() const { return where_; }

 private:
  // Cut, as a hostile file may hold anything.
  static std::string shown(const Json& json) {
    const std::string text = json.dump(-1, ' ', true);
    return text.size() <= 60 ? text : text.substr(0, 60) + "..";
  }
  const Json& at(const char* key) const {
    if (!json_.contains(key)) throw DataError("{}.{}: missing", where_, key);
    return json_.at(key);
  }
  std::int64_t size(const Json& json, const char* key) const {
    constexpr std::uint64_t kMost = std::uint64_t{1} << 40;
    if (!json.is_number_unsigned() || json.get<std::uint64_t>() < 1 ||
        json.get<std::uint64_t>() > kMost) {
      throw DataError("{}.{}: {}; want integers from 1 to {}", where_, key, shown(json), kMost);
    }
    return json.get<std::int64_t>();
  }

  const Json& json_;
  std::string where_;
};

// A path as our own maps have.
bool is_plain(std::string_view path) {
  return path.size() <= 100 && std::all_of(path.begin(), path.end(), [](unsigned char c) {
           return std::isalnum(c) || c == '.' || c == '_';
         });
}

LinearSpec from_json(const Entry& entry) {
  const std::string kind = entry.text("kind");
  if (kind == "dense") {
    entry.allow_only({"kind"});
    return DenseSpec{};
  }
  if (kind == "svd") {
    entry.allow_only({"kind", "rank"});
    return SvdSpec{.rank = entry.size("rank")};
  }
  if (kind != "ttm") {
    throw DataError("{}.kind: {}; expected dense, ttm or svd", entry.where(), in_quotes(kind));
  }
  entry.allow_only({"kind", "in", "out", "ranks"});
  TtmSpec spec;
  spec.in = entry.sizes("in");
  spec.out = entry.sizes("out");
  spec.ranks = entry.sizes("ranks");
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

void add_linear_rules(Json& config, const std::vector<LinearRule>& rules) {
  for (const LinearRule& rule : rules) config[kKey][rule.match] = linear_spec_to_json(rule.spec);
}

std::vector<LinearRule> linear_rules_from_json(const Json& config, const std::string& file) {
  std::vector<LinearRule> rules;
  if (!config.contains(kKey)) return rules;
  if (!config.at(kKey).is_object()) throw DataError("{}: {}: wants an object", file, kKey);
  for (const auto& [path, json] : config.at(kKey).items()) {
    const std::string key = fmt::format("{}.{}", kKey, is_plain(path) ? path : in_quotes(path));
    const LinearSpec spec = from_json(Entry(json, fmt::format("{}: {}", file, key)));
    if (const auto fault = fault_of(spec)) {
      throw DataError("{}: {}.{}: {}", file, key, fault->key, fault->message);
    }
    rules.push_back({path, spec, key});
  }
  return rules;
}

}  // namespace ty
