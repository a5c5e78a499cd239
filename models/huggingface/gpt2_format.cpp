#include "models/huggingface/gpt2_format.h"

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/base/glob.h"
#include "models/huggingface/linear_format.h"

namespace ty {

namespace {

using Json = nlohmann::json;

// Modules of ours and their public names; "blocks.N." <-> "h.N." is handled before.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kModules = {{
    {"embeddings.token", "wte"},
    {"embeddings.position", "wpe"},
    {"norm1", "ln_1"},
    {"attn.qkv", "attn.c_attn"},
    {"attn.out", "attn.c_proj"},
    {"norm2", "ln_2"},
    {"mlp.up", "mlp.c_fc"},
    {"mlp.down", "mlp.c_proj"},
    {"head.norm", "ln_f"},
    {"head.linear", "lm_head"},
}};

constexpr std::array<std::pair<std::string_view, UnaryOp>, 4> kActivations = {{
    {"gelu_new", UnaryOp::gelu_tanh},
    {"gelu_pytorch_tanh", UnaryOp::gelu_tanh},
    {"gelu", UnaryOp::gelu_erf},
    {"relu", UnaryOp::relu},
}};

// More is damage, and would only cost the time to list its parameters.
constexpr std::int64_t kMostLayers = 1000;

bool is_fused_qkv(const std::string& ours) {
  return glob_match("blocks.*.attn.qkv.weight", ours) || glob_match("blocks.*.attn.qkv.bias", ours);
}
bool is_transposed(const std::string& ours) { return ours == "head.linear.weight"; }

// Splits the last dimension of a contiguous view, [..., a b c] -> [..., a, b, c], and exchanges a,
// b.
View exchange_groups(const View& view, std::int64_t a, std::int64_t b) {
  Shape shape = view.shape;
  const std::int64_t c = shape[-1] / (a * b);
  shape[-1] = a;
  shape.push_back(b);
  shape.push_back(c);
  return contiguous_view(view.data, view.dtype, shape).transpose(-3, -2);
}

template <typename T>
T value(const Json& json, const std::string& file, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (!json.contains(key) || json.at(key).is_null()) continue;
    try {
      return json.at(key).get<T>();
    } catch (const Json::exception&) {
      throw DataError("{}: {}: {} is not a usable value", file, key, json.at(key).dump());
    }
  }
  throw DataError("{}: {}: missing", file, *keys.begin());
}

template <typename T>
T value_or(const Json& json, const std::string& file, const char* key, T otherwise) {
  if (!json.contains(key) || json.at(key).is_null()) return otherwise;
  return value<T>(json, file, {key});
}

}  // namespace

Gpt2Config gpt2_config_from_json(const Json& json, const std::string& file) {
  const auto type = value_or<std::string>(json, file, "model_type", "gpt2");
  if (type != "gpt2") throw DataError("{}: model_type: \"{}\"; expected \"gpt2\"", file, type);
  for (const char* key :
       {"scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn", "add_cross_attention"}) {
    if (value_or(json, file, key, false))
      throw DataError("{}: {}: true is not supported", file, key);
  }
  if (!value_or(json, file, "scale_attn_weights", true)) {
    throw DataError("{}: scale_attn_weights: false is not supported", file);
  }
  Gpt2Config c;
  c.layers = value<std::int64_t>(json, file, {"n_layer"});
  if (c.layers > kMostLayers) {
    throw DataError("{}: n_layer: {} layers; want at most {}", file, c.layers, kMostLayers);
  }
  c.width = value<std::int64_t>(json, file, {"n_embd"});
  c.heads = value<std::int64_t>(json, file, {"n_head"});
  c.context = value<std::int64_t>(json, file, {"n_positions", "n_ctx"});
  c.vocab = value<std::int64_t>(json, file, {"vocab_size"});
  c.inner = value_or<std::int64_t>(json, file, "n_inner", 0);
  c.tied = value_or(json, file, "tie_word_embeddings", true);
  c.dropout = value_or(json, file, "resid_pdrop", 0.0);
  c.norm_epsilon = value_or(json, file, "layer_norm_epsilon", 1e-5);
  c.linear = linear_rules_from_json(json, file);
  const auto activation = value_or<std::string>(json, file, "activation_function", "gelu_new");
  for (const auto& [name, op] : kActivations) {
    if (name == activation) {
      c.activation = op;
      return c;
    }
  }
  throw DataError(
      "{}: activation_function: \"{}\"; expected gelu_new, gelu_pytorch_tanh, gelu or relu", file,
      activation);
}

Json gpt2_config_to_json(const Gpt2Config& c) {
  std::string_view activation;
  for (const auto& [name, op] : kActivations) {
    if (op == c.activation && activation.empty()) activation = name;
  }
  Json json = {{"architectures", {"GPT2LMHeadModel"}},
               {"model_type", "gpt2"},
               {"n_layer", c.layers},
               {"n_embd", c.width},
               {"n_head", c.heads},
               {"n_positions", c.context},
               {"n_ctx", c.context},
               {"n_inner", c.inner == 0 ? Json(nullptr) : Json(c.inner)},
               {"vocab_size", c.vocab},
               {"activation_function", activation},
               {"layer_norm_epsilon", c.norm_epsilon},
               {"attn_pdrop", c.dropout},
               {"embd_pdrop", c.dropout},
               {"resid_pdrop", c.dropout},
               {"tie_word_embeddings", c.tied},
               {"initializer_range", 0.02},
               {"scale_attn_weights", true},
               {"use_cache", true}};
  add_linear_rules(json, c.linear);
  return json;
}

std::string gpt2_public_name(const std::string& ours) {
  std::string prefix;
  std::string rest = ours;
  if (ours.starts_with("blocks.")) {
    const std::size_t dot = ours.find('.', 7);
    prefix = "h." + ours.substr(7, dot - 7) + ".";
    rest = ours.substr(dot + 1);
  }
  for (const auto& [module, name] : kModules) {
    if (rest.starts_with(module) && rest.size() > module.size() && rest[module.size()] == '.') {
      return prefix + std::string(name) + rest.substr(module.size());
    }
  }
  throw InternalError("gpt2: parameter '{}' has no public name", ours);
}

Shape gpt2_public_shape(const std::string& ours, const Shape& shape) {
  return is_transposed(ours) ? Shape{shape[1], shape[0]} : shape;
}

View gpt2_as_ours(const std::string& ours, const View& public_view, const Gpt2Config& config) {
  if (is_fused_qkv(ours)) return exchange_groups(public_view, 3, config.heads);
  return is_transposed(ours) ? public_view.transpose(0, 1) : public_view;
}

View gpt2_as_public(const std::string& ours, const View& our_view, const Gpt2Config& config) {
  if (is_fused_qkv(ours)) return exchange_groups(our_view, config.heads, 3);
  return is_transposed(ours) ? our_view.transpose(0, 1) : our_view;
}

}  // namespace ty
