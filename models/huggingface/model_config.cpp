#include "models/huggingface/model_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/base/error.h"
#include "core/io/json_fields.h"
#include "models/families/activation_names.h"
#include "models/families/config_keys.h"
#include "models/families/family.h"
#include "models/huggingface/linear_format.h"
#include "models/linear/kinds.h"

namespace ty {

namespace {

using Json = nlohmann::json;

constexpr const char* kTypeKey = "model_type";
constexpr std::string_view kFactorisedPrefix = "trainyard_";  // of the type
constexpr const char* kNoteKey = "trainyard_note";

constexpr const char* kStartKey = "decoder_start_token_id";
constexpr const char* kForcedKey = "forced_eos_token_id";

// The keys that are kept, or those that a new model starts with.
Json public_keys_of(const ModelSpec& spec) {
  return spec.public_keys.empty() ? Json{{"initializer_range", 0.02}, {"use_cache", true}}
                                  : Json::parse(spec.public_keys);
}

const Family& family_in(const Json& document, const std::string& file) {
  if (const Family* family = find_family(family_named(document, file))) return *family;
  std::vector<std::string> names;
  for (const Family& family : families()) names.push_back(fmt::format("\"{}\"", family.name));
  JsonFields(document, file).refuse(kTypeKey, fmt::format("{}", fmt::join(names, " or ")));
}

// Says whose directory it is: the public library's, or, with layers that it does not know, one that
// it refuses. Its automatic classes refuse the type, the others the activation.
void set_type(const ModelSpec& spec, const Family& family, Json& json) {
  const std::string activation = public_activation(spec);
  const StoredClass* written = find_class(family, spec.head.kind);
  if (written == nullptr) {
    throw ConfigError("model: {} has no class with such a head", family.name);
  }
  json.erase(kNoteKey);
  if (!is_factorised(spec)) {
    json[family.activation_key] = activation;
    json["architectures"] = {written->name};
    json[kTypeKey] = family.name;
    return;
  }
  json[family.activation_key] = marked_activation(activation);
  json["architectures"] = {fmt::format("Trainyard{}", written->name)};
  json[kTypeKey] = fmt::format("{}{}", kFactorisedPrefix, family.name);
  json[kNoteKey] = fmt::format(
      "some linear layers are factorised: `trainyard export THIS OUT --dense` writes a plain {}",
      written->name);
}

const char* public_dtype(DType dtype) {
  switch (dtype) {
    case DType::bf16:
      return "bfloat16";
    case DType::f16:
      return "float16";
    case DType::f64:
      return "float64";
    default:
      return "float32";
  }
}

}  // namespace

bool is_factorised(const ModelSpec& spec) {
  return std::any_of(spec.linear.begin(), spec.linear.end(),
                     [](const LinearRule& rule) { return !is_dense(rule.spec); });
}

std::string family_named(const Json& document, const std::string& file) {
  const JsonFields json(document, file);
  if (!json.has(kTypeKey)) return std::string(families().front().name);
  const std::string type = json.text(kTypeKey);
  if (!type.starts_with(kFactorisedPrefix)) return type;
  const std::string plain = type.substr(kFactorisedPrefix.size());
  return find_family(plain) != nullptr ? plain : type;
}

ModelSpec model_spec_from_json(const Json& document, const std::string& file) {
  const Family& family = family_in(document, file);
  const JsonFields json(document, file);
  ModelSpec spec = family.start;
  spec.family = family.name;
  spec.head = read_head(family, document, json);
  family.read(json, spec);
  spec.linear = linear_rules_from_json(document, file);
  for (LinearRule& rule : spec.linear) {
    // So earlier versions called a table that the head is tied to.
    if (spec.has_tied_head() && rule.match == "head.linear") rule.match = "embeddings.token";
  }
  spec.public_keys = document.dump();
  return spec;
}

Json model_spec_to_json(const ModelSpec& spec) {
  const Family& family = family_of(spec);
  Json json = public_keys_of(spec);
  family.write(spec, json);
  write_head(spec.head, json);
  set_type(spec, family, json);
  set_linear_rules(json, spec.linear);
  return json;
}

std::string public_activation(const ModelSpec& spec) {
  const Json stated = public_keys_of(spec).value(family_of(spec).activation_key, Json());
  const std::string_view name =
      stated.is_string() ? without_mark(stated.get_ref<const std::string&>()) : "";
  return std::string(activation_named(name) == spec.activation ? name
                                                               : public_name(spec.activation));
}

std::vector<std::string> label_names(const ModelSpec& spec) {
  std::vector<std::string> names;
  const Json json = model_spec_to_json(spec);
  for (std::int64_t i = 0; i < spec.head.labels; ++i) {
    const std::string number = std::to_string(i);
    names.push_back(json.contains("id2label") ? json["id2label"].value(number, number) : number);
  }
  return names;
}

void set_label_names(ModelSpec& spec, const std::vector<std::string>& names) {
  Json json = public_keys_of(spec);
  json["id2label"] = json["label2id"] = Json::object();
  for (std::size_t i = 0; i < names.size(); ++i) {
    json["id2label"][std::to_string(i)] = names[i];
    json["label2id"][names[i]] = i;
  }
  spec.public_keys = json.dump();
}

void set_run_keys(ModelSpec& spec, std::optional<std::int32_t> end_of_text, DType weights) {
  Json json = public_keys_of(spec);
  for (const char* key : {"bos_token_id", "eos_token_id", "pad_token_id"}) {
    if (!json.contains(key)) json[key] = end_of_text ? Json(*end_of_text) : Json();
  }
  if (spec.has_encoder()) {
    if (!json.contains(kStartKey)) json[kStartKey] = end_of_text ? Json(*end_of_text) : Json();
    if (!json.contains(kForcedKey)) json[kForcedKey] = Json();
  }
  json.erase("torch_dtype");  // its older spelling
  json["dtype"] = public_dtype(weights);
  spec.public_keys = json.dump();
}

}  // namespace ty
