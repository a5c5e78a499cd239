#include "models/families/config_keys.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "models/families/size_keys.h"

namespace ty {

void read_rates(std::span<const RateKey> keys, const JsonFields& json, ModelSpec& spec) {
  for (const RateKey& key : keys) {
    spec.dropout.*key.rate = json.has(key.name) ? json.number(key.name, 0, 1) : key.otherwise;
  }
}

void write_rates(std::span<const RateKey> keys, const ModelSpec& spec, nlohmann::json& json) {
  for (const RateKey& key : keys) json[key.name] = spec.dropout.*key.rate;
}

bool flag_or(const JsonFields& json, const char* key, bool otherwise) {
  return json.has(key) ? json.flag(key) : otherwise;
}

void refuse_unless(const JsonFields& json, const char* key, bool only) {
  if (flag_or(json, key, only) == only) return;
  json.refuse(key, fmt::format("{}; nothing else is supported", only));
}

void refuse_rate(const JsonFields& json, const char* key) {
  if (json.has(key) && json.number(key, 0, 1) != 0) {
    json.refuse(key, "0; nothing else is supported");
  }
}

void check_heads(const JsonFields& json, const Family& family, const ModelSpec& spec) {
  if (spec.width % spec.heads == 0) return;
  throw DataError("{}: {}: {} does not divide {} {}", json.place(),
                  key_of(family, &ModelSpec::heads), spec.heads, key_of(family, &ModelSpec::width),
                  spec.width);
}

const StoredClass* find_class(const Family& family, HeadSpec::Kind kind) {
  if (kind == HeadSpec::Kind::values) kind = HeadSpec::Kind::labels;
  const auto found = std::find_if(family.classes.begin(), family.classes.end(),
                                  [&](const StoredClass& c) { return c.head.kind == kind; });
  return found == family.classes.end() ? nullptr : &*found;
}

namespace {

constexpr const char* kClassKey = "architectures";
constexpr const char* kLabelKey = "id2label";
constexpr const char* kCountKey = "num_labels";
constexpr const char* kProblemKey = "problem_type";
constexpr std::string_view kLabelled = "single_label_classification", kValued = "regression";
constexpr std::int64_t kMostLabels = std::int64_t{1} << 20;
constexpr std::int64_t kUsualLabels = 2;  // the public library's, where none are named
constexpr std::string_view kFactorisedPrefix = "Trainyard";

const StoredClass& class_in(const Family& family, const nlohmann::json& document,
                            const JsonFields& json) {
  const auto stated = document.find(kClassKey);
  if (stated == document.end() || stated->is_null() || stated->empty()) return family.classes[0];
  std::vector<std::string_view> names;
  for (const StoredClass& known : family.classes) {
    names.push_back(known.name);
    if (!stated->is_array() || !stated->front().is_string()) continue;
    std::string_view name = stated->front().get_ref<const std::string&>();
    if (name.starts_with(kFactorisedPrefix)) name.remove_prefix(kFactorisedPrefix.size());
    if (name == known.name) return known;
  }
  json.refuse(kClassKey, fmt::format("one of {}", fmt::join(names, ", ")));
}

std::int64_t count_labels(const nlohmann::json& document, const JsonFields& json) {
  if (!json.has(kLabelKey)) {
    return json.has(kCountKey) ? json.integer(kCountKey, {1, kMostLabels}) : kUsualLabels;
  }
  const nlohmann::json& names = document.at(kLabelKey);
  if (!names.is_object() || names.empty()) json.refuse(kLabelKey, "names by number");
  return static_cast<std::int64_t>(names.size());
}

}  // namespace

HeadSpec read_head(const Family& family, const nlohmann::json& document, const JsonFields& json) {
  HeadSpec head = class_in(family, document, json).head;
  if (!head.is_pooled()) return head;
  head.labels = count_labels(document, json);
  std::string problem(head.labels == 1 ? kValued : kLabelled);
  if (json.has(kProblemKey)) problem = json.text(kProblemKey);
  if (problem == kValued) {
    head.kind = HeadSpec::Kind::values;
  } else if (problem != kLabelled) {
    json.refuse(kProblemKey, fmt::format("{} or {}", kLabelled, kValued));
  }
  return head;
}

void write_head(const HeadSpec& head, nlohmann::json& json) {
  if (!head.is_pooled()) return;
  json[kProblemKey] = head.kind == HeadSpec::Kind::values ? kValued : kLabelled;
  json.erase(kCountKey);
  const bool is_named = json.contains(kLabelKey) && json[kLabelKey].is_object() &&
                        std::ssize(json[kLabelKey]) == head.labels;
  if (is_named) return;
  nlohmann::json names = nlohmann::json::object(), numbers = nlohmann::json::object();
  for (std::int64_t i = 0; i < head.labels; ++i) {
    names[std::to_string(i)] = fmt::format("LABEL_{}", i);
    numbers[fmt::format("LABEL_{}", i)] = i;
  }
  json[kLabelKey] = std::move(names);
  json["label2id"] = std::move(numbers);
}

}  // namespace ty
