#include "models/families/bart.h"

#include <nlohmann/json.hpp>

#include "models/families/activation_names.h"
#include "models/families/config_keys.h"
#include "models/families/size_keys.h"
#include "models/families/stored_parts.h"

namespace ty {

namespace {

// Both sides have heads and inner layers of the same sizes here.
constexpr const char* kEncoderHeads = "encoder_attention_heads";
constexpr const char* kEncoderInner = "encoder_ffn_dim";
constexpr std::array<StoredSize, 7> kSizes = {{
    {&ModelSpec::layers, {0, 1000}, {"decoder_layers"}},
    {&ModelSpec::encoder_layers, {1, 1000}, {"encoder_layers", "num_hidden_layers"}},
    {&ModelSpec::width, {1, kMostWidth}, {"d_model", "hidden_size"}},
    {&ModelSpec::heads,
     {1, kMostWidth},
     {"decoder_attention_heads", kEncoderHeads, "num_attention_heads"}},
    {&ModelSpec::context, {1, kMostRows}, {"max_position_embeddings"}},
    {&ModelSpec::vocab, {1, kMostRows}, {"vocab_size"}},
    {&ModelSpec::inner, {1, 16 * kMostWidth}, {"decoder_ffn_dim", kEncoderInner}},
}};
constexpr std::array<RateKey, 5> kRates = {{
    {&DropoutRates::attention, "attention_dropout", 0.0},
    {&DropoutRates::inner, "activation_dropout", 0.0},
    {&DropoutRates::head, "classifier_dropout", 0.0},
    {&DropoutRates::embedding, "dropout", 0.1},
    {&DropoutRates::residual, "dropout", 0.1},
}};
constexpr HeadSpec kLabels = {
    .kind = HeadSpec::Kind::labels, .pooling = Pooling::last, .pooler = UnaryOp::tanh};
constexpr std::array<StoredClass, 3> kClasses = {{
    {"BartForConditionalGeneration", {}},
    {"BartForSequenceClassification", kLabels},
    {"BartModel", {.kind = HeadSpec::Kind::none}},
}};
constexpr const char* kActivationKey = "activation_function";
constexpr std::array<std::string_view, 2> kUnread = {"*encoder.version", "*decoder.version"};

constexpr std::array<StoredModule, 10> kInBlock = {{
    {"norm1", "self_attn_layer_norm"},
    {"attn.qkv", "self_attn.qkv", {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}},
    {"attn.out", "self_attn.out_proj"},
    {"norm_cross", "encoder_attn_layer_norm"},
    {"cross.q", "encoder_attn.q_proj"},
    {"cross.kv", "encoder_attn.kv", {"encoder_attn.k_proj", "encoder_attn.v_proj"}},
    {"cross.out", "encoder_attn.out_proj"},
    {"norm2", "final_layer_norm"},
    {"mlp.up", "fc1"},
    {"mlp.down", "fc2"},
}};
constexpr std::array<StoredModule, 5> kBase = {{
    {"embeddings.token", "shared"},
    {"embeddings.position", "encoder.embed_positions"},
    {"embeddings.norm", "encoder.layernorm_embedding"},
    {"embeddings.decoder.position", "decoder.embed_positions"},
    {"embeddings.decoder.norm", "decoder.layernorm_embedding"},
}};
constexpr std::string_view kFixedBias = "final_logits_bias";
constexpr std::array<StoredModule, 3> kHead = {{
    {"head.linear", "lm_head"},
    {"head.pooler", "classification_head.dense"},
    {"head.labels", "classification_head.out_proj"},
}};
constexpr StoredModules kModules = {.prefix = "model.",
                                    .blocks = "decoder.layers.",
                                    .encoder_blocks = "encoder.layers.",
                                    .in_block = kInBlock,
                                    .base = kBase,
                                    .head = kHead};

void read(const JsonFields& json, ModelSpec& spec) {
  read_sizes(kSizes, json, spec);
  check_heads(json, *find_family("bart"), spec);
  read_rates(kRates, json, spec);
  spec.scale_embedding = flag_or(json, "scale_embedding", false);
  spec.tied = flag_or(json, "tie_word_embeddings", true);
  refuse_unless(json, "is_encoder_decoder", true);
  refuse_unless(json, "is_decoder", false);
  refuse_rate(json, "encoder_layerdrop");
  refuse_rate(json, "decoder_layerdrop");
  // Of older versions.
  refuse_unless(json, "normalize_before", false);
  refuse_unless(json, "normalize_embedding", true);
  refuse_unless(json, "add_final_layer_norm", false);
  refuse_unless(json, "static_position_embeddings", false);
  if (json.has(kActivationKey)) spec.activation = read_activation(json, kActivationKey);
}

void write(const ModelSpec& spec, nlohmann::json& json) {
  write_sizes(kSizes, spec, json);
  json[kEncoderHeads] = spec.heads;
  json[kEncoderInner] = spec.inner_width();
  write_rates(kRates, spec, json);
  json["scale_embedding"] = spec.scale_embedding;
  // Without it the library would take both sides' tables for separate ones. A head of its own it
  // finds among the tensors.
  json["tie_word_embeddings"] = true;
  json["is_encoder_decoder"] = true;
}

std::vector<StoredPart> parts(const ModelSpec& spec, const std::string& parameter,
                              const Shape& shape) {
  if (parameter == "head.bias") return {{{std::string(kFixedBias)}, {1, spec.vocab}}};
  std::vector<StoredPart> all = stored_parts(kModules, spec, parameter, shape);
  if (parameter == "embeddings.token.weight") {
    add_names(all[0], {"model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight",
                       "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"});
    if (spec.has_tied_head()) add_names(all[0], {"lm_head.weight"});
  }
  return all;
}

}  // namespace

Family bart_family() {
  return {.name = "bart",
          .classes = kClasses,
          .activation_key = kActivationKey,
          .sizes = kSizes,
          .unread = kUnread,
          .fixed_bias = kFixedBias,
          .start = {.layers = 6,
                    .encoder_layers = 6,
                    .position_offset = 2,
                    .norm_first = false,
                    .final_norm = false,
                    .embedding_norm = true,
                    .activation = UnaryOp::gelu_erf},
          .read = read,
          .write = write,
          .parts = parts};
}

}  // namespace ty
