#include "models/families/gpt2.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/error.h"
#include "core/base/glob.h"
#include "models/families/activation_names.h"
#include "models/families/size_keys.h"

namespace ty {

namespace {

constexpr std::int64_t kMostWidth = std::int64_t{1} << 20;
constexpr std::int64_t kMostRows = std::numeric_limits<std::int32_t>::max();
constexpr std::array<StoredSize, 6> kSizes = {{
    {&ModelSpec::layers, {0, 1000}, {"n_layer", "num_hidden_layers"}},
    {&ModelSpec::width, {1, kMostWidth}, {"n_embd", "hidden_size"}},
    {&ModelSpec::heads, {1, kMostWidth}, {"n_head", "num_attention_heads"}},
    {&ModelSpec::context, {1, kMostRows}, {"n_positions", "max_position_embeddings", "n_ctx"}},
    {&ModelSpec::vocab, {1, kMostRows}, {"vocab_size"}},
    {&ModelSpec::inner, {1, 16 * kMostWidth}, {"n_inner"}},
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

constexpr const char* kActivationKey = "activation_function";
constexpr std::array<std::string_view, 2> kBuffers = {"*h.*.attn.bias", "*h.*.attn.masked_bias"};

void read_switches(ModelSpec& spec, const JsonFields& json) {
  const auto flag_or = [&](const char* key, bool otherwise) {
    return json.has(key) ? json.flag(key) : otherwise;
  };
  spec.tied = flag_or("tie_word_embeddings", true);
  spec.scale_by_width = flag_or("scale_attn_weights", true);
  spec.scale_by_depth = flag_or("scale_attn_by_inverse_layer_idx", false);
  flag_or("reorder_and_upcast_attn", false);  // ours is never less precise
  if (flag_or("add_cross_attention", false)) {
    json.refuse("add_cross_attention", "false; cross-attention is not supported");
  }
}

ModelSpec read(const JsonFields& json) {
  ModelSpec spec;
  read_sizes(kSizes, json, spec);
  if (spec.width % spec.heads != 0) {
    throw DataError("{}: n_head: {} does not divide n_embd {}", json.place(), spec.heads,
                    spec.width);
  }
  for (const RateKey& key : kRates) {
    spec.dropout.*key.rate = json.has(key.name) ? json.number(key.name, 0, 1) : kDefaultRate;
  }
  if (json.has("layer_norm_epsilon")) spec.norm_epsilon = json.number("layer_norm_epsilon", 0, 1);
  read_switches(spec, json);
  if (json.has(kActivationKey)) spec.activation = read_activation(json, kActivationKey);
  return spec;
}

void write(const ModelSpec& spec, nlohmann::json& json) {
  write_sizes(kSizes, spec, json);
  json["n_ctx"] = spec.context;
  for (const RateKey& key : kRates) json[key.name] = spec.dropout.*key.rate;
  json["layer_norm_epsilon"] = spec.norm_epsilon;
  json["tie_word_embeddings"] = spec.tied;
  json["scale_attn_weights"] = spec.scale_by_width;
  json["scale_attn_by_inverse_layer_idx"] = spec.scale_by_depth;
}

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

// Without the prefix "transformer." that some files carry.
std::string bare_name(const std::string& ours) {
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

// [.., head, q | k | v, number] here, [.., q | k | v, head, number] there.
View by_projection(const View& ours, std::int64_t heads) {
  Shape shape = ours.shape;
  const std::int64_t width = shape[-1] / (heads * 3);
  shape[-1] = heads;
  shape.push_back(3);
  shape.push_back(width);
  return contiguous_view(ours.data, ours.dtype, shape).transpose(-3, -2);
}

std::vector<StoredPart> parts(const ModelSpec& spec, const std::string& parameter,
                              const Shape& shape) {
  const std::string bare = bare_name(parameter);
  if (bare.starts_with("lm_head.")) {
    if (bare != "lm_head.weight") return {{{bare}, shape}};
    return {{{bare}, {shape[1], shape[0]}, [](const View& ours) { return ours.transpose(0, 1); }}};
  }
  StoredPart part = {{"transformer." + bare, bare}, shape};
  // A tied table may be stored as the head only.
  if (spec.tied && bare == "wte.weight") part.names.push_back("lm_head.weight");
  const bool is_fused = glob_match("blocks.*.attn.qkv.weight", parameter) ||
                        glob_match("blocks.*.attn.qkv.bias", parameter);
  if (is_fused) {
    part.place = [heads = spec.heads](const View& ours) { return by_projection(ours, heads); };
  }
  return {part};
}

}  // namespace

Family gpt2_family() {
  return {.name = "gpt2",
          .class_name = "GPT2LMHeadModel",
          .activation_key = kActivationKey,
          .sizes = kSizes,
          .buffers = kBuffers,
          .read = read,
          .write = write,
          .parts = parts};
}

}  // namespace ty
