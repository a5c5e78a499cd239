#include "models/huggingface/gpt2_config.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/base/error.h"
#include "core/io/json_fields.h"
#include "models/huggingface/linear_format.h"
#include "models/linear/kinds.h"

namespace ty {

namespace {

using Json = nlohmann::json;

// The first name of an op is the one that we write.
constexpr std::array<std::pair<std::string_view, UnaryOp>, 12> kActivations = {{
    {"gelu_new", UnaryOp::gelu_tanh},
    {"gelu_pytorch_tanh", UnaryOp::gelu_tanh},
    {"gelu_python_tanh", UnaryOp::gelu_tanh},
    {"gelu_accurate", UnaryOp::gelu_tanh},
    {"gelu_fast", UnaryOp::gelu_tanh},
    {"gelu", UnaryOp::gelu_erf},
    {"gelu_python", UnaryOp::gelu_erf},
    {"relu", UnaryOp::relu},
    {"silu", UnaryOp::silu},
    {"swish", UnaryOp::silu},
    {"quick_gelu", UnaryOp::quick_gelu},
    {"tanh", UnaryOp::tanh},
}};

// A size, the spellings of its key, and how large it may be: more is damage, and products of these
// stay far from 2^63.
struct SizeKey {
  std::int64_t Gpt2Config::*size;
  IntegerRange range;
  std::array<const char*, 3> names;  // the first is the one that we write; null: no more
};
constexpr std::int64_t kMostWidth = std::int64_t{1} << 20;
constexpr std::int64_t kMostRows = std::numeric_limits<std::int32_t>::max();
constexpr std::array<SizeKey, 6> kSizes = {{
    {&Gpt2Config::layers, {0, 1000}, {"n_layer", "num_hidden_layers"}},
    {&Gpt2Config::width, {1, kMostWidth}, {"n_embd", "hidden_size"}},
    {&Gpt2Config::heads, {1, kMostWidth}, {"n_head", "num_attention_heads"}},
    {&Gpt2Config::context, {1, kMostRows}, {"n_positions", "max_position_embeddings", "n_ctx"}},
    {&Gpt2Config::vocab, {1, kMostRows}, {"vocab_size"}},
    {&Gpt2Config::inner, {1, 16 * kMostWidth}, {"n_inner"}},
}};

// Dropout rates and what the public library takes where a file states none.
struct RateKey {
  double DropoutRates::*rate;
  const char* name;
};
constexpr std::array<RateKey, 3> kRates = {{
    {&DropoutRates::embedding, "embd_pdrop"},
    {&DropoutRates::attention, "attn_pdrop"},
    {&DropoutRates::residual, "resid_pdrop"},
}};
constexpr double kDefaultRate = 0.1;

// A directory of factorised maps is none that the public library may load: it would fill their
// places with random numbers. Its automatic classes refuse the type, the others the activation.
constexpr const char* kPlainType = "gpt2";
constexpr const char* kActivationKey = "activation_function";
constexpr std::string_view kFactorisedMark = "trainyard:";  // before its activation
constexpr const char* kNoteKey = "trainyard_note";
constexpr const char* kNote =
    "some linear layers are factorised: `trainyard export THIS OUT --dense` writes a plain "
    "GPT2LMHeadModel";

// The op of a name; nothing for a name that is none of ours.
std::optional<UnaryOp> activation_named(std::string_view name) {
  for (const auto& [known, op] : kActivations) {
    if (known == name) return op;
  }
  return std::nullopt;
}

std::string_view name_of(UnaryOp op) {
  for (const auto& [name, known] : kActivations) {
    if (known == op) return name;
  }
  throw InternalError("an activation has no public name");
}

std::string activation_names() {
  std::vector<std::string_view> names;
  for (const auto& [name, op] : kActivations) names.push_back(name);
  return fmt::format("{}", fmt::join(names, ", "));
}

// Of several spellings the first counts. The public library takes the last of those it knows, so
// that two which differ mean nothing; n_ctx it does not read.
void read_size(Gpt2Config& config, const SizeKey& key, const JsonFields& json) {
  std::int64_t& size = config.*key.size;
  const char* found = nullptr;
  for (const char* name : key.names) {
    if (name == nullptr || !json.has(name)) continue;
    const std::int64_t value = json.integer(name, key.range);
    if (found == nullptr) {
      found = name;
      size = value;
    } else if (value != size && std::string_view(name) != "n_ctx") {
      json.refuse(name, fmt::format("{} as {} says, or one of the two keys", size, found));
    }
  }
  if (found != nullptr) return;
  size = 0;
  if (key.size != &Gpt2Config::inner) json.integer(key.names[0], key.range);  // says it is missing
}

void read_switches(Gpt2Config& config, const JsonFields& json) {
  const auto flag_or = [&](const char* key, bool otherwise) {
    return json.has(key) ? json.flag(key) : otherwise;
  };
  config.tied = flag_or("tie_word_embeddings", true);
  config.scale_by_width = flag_or("scale_attn_weights", true);
  config.scale_by_depth = flag_or("scale_attn_by_inverse_layer_idx", false);
  flag_or("reorder_and_upcast_attn", false);  // ours is never less precise
  if (flag_or("add_cross_attention", false)) {
    json.refuse("add_cross_attention", "false; cross-attention is not supported");
  }
}

std::string_view without_mark(std::string_view activation) {
  const bool is_marked = activation.starts_with(kFactorisedMark);
  return activation.substr(is_marked ? kFactorisedMark.size() : 0);
}

UnaryOp read_activation(const JsonFields& json) {
  if (!json.has(kActivationKey)) return UnaryOp::gelu_tanh;
  if (const auto op = activation_named(without_mark(json.text(kActivationKey)))) return *op;
  json.refuse(kActivationKey, "one of " + activation_names());
}

void check_type(const JsonFields& json) {
  constexpr const char* kKey = "model_type";
  if (!json.has(kKey)) return;
  const std::string type = json.text(kKey);
  if (type != kPlainType && type != kFactorisedType) {
    json.refuse(kKey, fmt::format("\"{}\"", kPlainType));
  }
}

// The keys that are kept, or those that a new model starts with.
Json public_keys_of(const Gpt2Config& config) {
  return config.public_keys.empty() ? Json{{"initializer_range", 0.02}, {"use_cache", true}}
                                    : Json::parse(config.public_keys);
}

const char* public_name(DType dtype) {
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

bool is_factorised(const Gpt2Config& config) {
  return std::any_of(config.linear.begin(), config.linear.end(),
                     [](const LinearRule& rule) { return !is_dense(rule.spec); });
}

Gpt2Config gpt2_config_from_json(const Json& document, const std::string& file) {
  const JsonFields json(document, file);
  check_type(json);
  Gpt2Config config;
  for (const SizeKey& key : kSizes) read_size(config, key, json);
  if (config.width % config.heads != 0) {
    throw DataError("{}: n_head: {} does not divide n_embd {}", file, config.heads, config.width);
  }
  for (const RateKey& key : kRates) {
    config.dropout.*key.rate = json.has(key.name) ? json.number(key.name, 0, 1) : kDefaultRate;
  }
  if (json.has("layer_norm_epsilon")) config.norm_epsilon = json.number("layer_norm_epsilon", 0, 1);
  read_switches(config, json);
  config.activation = read_activation(json);
  config.linear = linear_rules_from_json(document, file);
  config.public_keys = document.dump();
  return config;
}

Json gpt2_config_to_json(const Gpt2Config& c) {
  Json json = public_keys_of(c);
  const bool factorised = is_factorised(c);
  json[kActivationKey] = (factorised ? std::string(kFactorisedMark) : "") + public_activation(c);
  json["architectures"] = {factorised ? "TrainyardGPT2LMHeadModel" : "GPT2LMHeadModel"};
  json["model_type"] = factorised ? kFactorisedType : kPlainType;
  for (const SizeKey& key : kSizes) {
    for (const char* name : key.names) {
      if (name != nullptr) json.erase(name);
    }
    json[key.names[0]] = c.*key.size;
  }
  json["n_ctx"] = c.context;
  if (c.inner == 0) json["n_inner"] = nullptr;
  for (const RateKey& key : kRates) json[key.name] = c.dropout.*key.rate;
  json["layer_norm_epsilon"] = c.norm_epsilon;
  json["tie_word_embeddings"] = c.tied;
  json["scale_attn_weights"] = c.scale_by_width;
  json["scale_attn_by_inverse_layer_idx"] = c.scale_by_depth;
  set_linear_rules(json, c.linear);
  json.erase(kNoteKey);
  if (factorised) json[kNoteKey] = kNote;
  return json;
}

std::string public_activation(const Gpt2Config& config) {
  const Json stated = public_keys_of(config).value(kActivationKey, Json());
  const std::string_view name =
      stated.is_string() ? without_mark(stated.get_ref<const std::string&>()) : "";
  return std::string(activation_named(name) == config.activation ? name
                                                                 : name_of(config.activation));
}

void set_run_keys(Gpt2Config& config, std::optional<std::int32_t> end_of_text, DType weights) {
  Json json = public_keys_of(config);
  for (const char* key : {"bos_token_id", "eos_token_id", "pad_token_id"}) {
    if (!json.contains(key)) json[key] = end_of_text ? Json(*end_of_text) : Json();
  }
  json.erase("torch_dtype");  // its older spelling
  json["dtype"] = public_name(weights);
  config.public_keys = json.dump();
}

}  // namespace ty
