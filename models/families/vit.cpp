#include "models/families/vit.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "models/families/activation_names.h"
#include "models/families/config_keys.h"
#include "models/families/size_keys.h"
#include "models/families/stored_parts.h"

namespace ty {

namespace {

constexpr std::array<StoredSize, 4> kSizes = {{
    {&ModelSpec::layers, {0, 1000}, {"num_hidden_layers"}},
    {&ModelSpec::width, {1, kMostWidth}, {"hidden_size"}},
    {&ModelSpec::heads, {1, kMostWidth}, {"num_attention_heads"}},
    {&ModelSpec::inner, {1, 16 * kMostWidth}, {"intermediate_size"}},
}};
constexpr std::array<RateKey, 3> kRates = {{
    {&DropoutRates::attention, "attention_probs_dropout_prob", 0.0},
    {&DropoutRates::embedding, "hidden_dropout_prob", 0.0},
    {&DropoutRates::residual, "hidden_dropout_prob", 0.0},
}};
constexpr std::array<StoredClass, 2> kClasses = {{
    {"ViTForImageClassification", {.kind = HeadSpec::Kind::labels, .labels = 2}},
    {"ViTModel", {.kind = HeadSpec::Kind::none, .pooler = UnaryOp::tanh}},
}};
constexpr const char* kActivationKey = "hidden_act";
constexpr const char* kPoolerKey = "pooler_act";
constexpr const char* kPooledKey = "pooler_output_size";
constexpr std::int64_t kMostPixels = std::int64_t{1} << 14;  // of a side, and channels

constexpr std::array<StoredModule, 6> kInBlock = {{
    {"norm1", "layernorm_before"},
    {"attn.qkv",
     "attention.attention.qkv",
     {"attention.attention.query", "attention.attention.key", "attention.attention.value"}},
    {"attn.out", "attention.output.dense"},
    {"norm2", "layernorm_after"},
    {"mlp.up", "intermediate.dense"},
    {"mlp.down", "output.dense"},
}};
constexpr std::array<StoredModule, 5> kBase = {{
    {"embeddings.position", "embeddings.position_embeddings"},
    {"embeddings.type", "embeddings.cls_token"},
    {"embeddings.patch", "embeddings.patch_embeddings.projection"},
    {"head.norm", "layernorm"},
    {"head.pooler", "pooler.dense"},
}};
constexpr std::array<StoredModule, 1> kHead = {{{"head.labels", "classifier"}}};
constexpr StoredModules kModules = {.prefix = "vit.",
                                    .blocks = "encoder.layer.",
                                    .encoder_blocks = "",
                                    .in_block = kInBlock,
                                    .base = kBase,
                                    .head = kHead};

// A side of a square: a number, or the same number twice.
std::int64_t read_side(const JsonFields& json, const char* key, std::int64_t otherwise,
                       std::int64_t most) {
  if (!json.has(key)) return otherwise;
  if (!json.is_list(key)) return json.integer(key, {1, most});
  const std::vector<std::int64_t> sides = json.integers(key, {1, most});
  if (sides.size() != 2 || sides[0] != sides[1]) json.refuse(key, "the side of a square");
  return sides[0];
}

ImageShape read_image(const JsonFields& json) {
  ImageShape image = {.channels = 3, .size = 224, .patch = 16};
  if (json.has("num_channels")) image.channels = json.integer("num_channels", {1, kMostPixels});
  image.size = read_side(json, "image_size", image.size, kMostPixels);
  image.patch = read_side(json, "patch_size", image.patch, image.size);
  if (image.size % image.patch != 0) {
    throw DataError("{}: patch_size: {} does not divide image_size {}", json.place(), image.patch,
                    image.size);
  }
  return image;
}

void read_pooler(const JsonFields& json, ModelSpec& spec) {
  if (!spec.head.pooler) return;
  if (json.has(kPoolerKey)) spec.head.pooler = read_activation(json, kPoolerKey);
  if (json.has(kPooledKey) && json.integer(kPooledKey, {1, kMostWidth}) != spec.width) {
    json.refuse(kPooledKey, fmt::format("{} as hidden_size says", spec.width));
  }
}

void read(const JsonFields& json, ModelSpec& spec) {
  read_sizes(kSizes, json, spec);
  check_heads(json, *find_family("vit"), spec);
  spec.image = read_image(json);
  spec.context = spec.image_tokens();
  read_pooler(json, spec);
  read_rates(kRates, json, spec);
  if (json.has("layer_norm_eps")) spec.norm_epsilon = json.number("layer_norm_eps", 0, 1);
  refuse_unless(json, "qkv_bias", true);
  if (json.has(kActivationKey)) spec.activation = read_activation(json, kActivationKey);
}

void write(const ModelSpec& spec, nlohmann::json& json) {
  write_sizes(kSizes, spec, json);
  write_rates(kRates, spec, json);
  json["num_channels"] = spec.image.channels;
  json["image_size"] = spec.image.size;
  json["patch_size"] = spec.image.patch;
  json["layer_norm_eps"] = spec.norm_epsilon;
  if (spec.head.kind == HeadSpec::Kind::none && spec.head.pooler) {
    json[kPoolerKey] = public_name(*spec.head.pooler);
  }
}

void cut_leaf(StoredPart& part) {
  for (std::string& name : part.names) name.resize(name.rfind('.'));
}

// Of the table of two rows, each is a tensor of its own: the class token, and the bias of patches.
std::vector<StoredPart> rows_apart(const ModelSpec& spec) {
  StoredPart token = stored_parts(kModules, spec, "embeddings.type.weight", {}).front();
  cut_leaf(token);
  token.shape = {1, 1, spec.width};
  token.place = [](const View& ours) { return ours[0]; };
  StoredPart bias = stored_parts(kModules, spec, "embeddings.patch.bias", {}).front();
  bias.shape = {spec.width};
  bias.place = [](const View& ours) { return ours[1]; };
  return {std::move(token), std::move(bias)};
}

std::vector<StoredPart> parts(const ModelSpec& spec, const std::string& parameter,
                              const Shape& shape) {
  if (parameter == "embeddings.type.weight") return rows_apart(spec);
  std::vector<StoredPart> all = stored_parts(kModules, spec, parameter, shape);
  if (parameter == "embeddings.position.weight") {
    cut_leaf(all[0]);
    if (shape.rank() == 2) all[0].shape = {1, shape[0], shape[1]};
  }
  if (parameter == "embeddings.patch.weight") {
    all[0] = transposed(all[0].names, shape);
    all[0].shape = {spec.width, spec.image.channels, spec.image.patch, spec.image.patch};
  }
  return all;
}

}  // namespace

Family vit_family() {
  return {.name = "vit",
          .classes = kClasses,
          .activation_key = kActivationKey,
          .sizes = kSizes,
          .unread = {},
          .start = {.context = 197,
                    .vocab = 1,
                    .types = 2,
                    .image = {.channels = 3, .size = 224, .patch = 16},
                    .head = {.kind = HeadSpec::Kind::labels, .labels = 2},
                    .causal = false,
                    .activation = UnaryOp::gelu_erf,
                    .norm_epsilon = 1e-12},
          .read = read,
          .write = write,
          .parts = parts};
}

}  // namespace ty
