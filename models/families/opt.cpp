#include "models/families/opt.h"

#include <nlohmann/json.hpp>

#include "models/families/activation_names.h"
#include "models/families/config_keys.h"
#include "models/families/size_keys.h"
#include "models/families/stored_parts.h"

namespace ty {

namespace {

constexpr std::array<StoredSize, 7> kSizes = {{
    {&ModelSpec::layers, {0, 1000}, {"num_hidden_layers"}},
    {&ModelSpec::width, {1, kMostWidth}, {"hidden_size"}},
    {&ModelSpec::heads, {1, kMostWidth}, {"num_attention_heads"}},
    {&ModelSpec::context, {1, kMostRows}, {"max_position_embeddings"}},
    {&ModelSpec::vocab, {1, kMostRows}, {"vocab_size"}},
    {&ModelSpec::inner, {1, 16 * kMostWidth}, {"ffn_dim"}},
    {&ModelSpec::embedding_width, {1, kMostWidth}, {"word_embed_proj_dim"}, 0},
}};
constexpr std::array<RateKey, 2> kRates = {{
    {&DropoutRates::attention, "attention_dropout", 0.0},
    {&DropoutRates::residual, "dropout", 0.1},
}};
constexpr HeadSpec kLabels = {
    .kind = HeadSpec::Kind::labels, .label_bias = false, .pooling = Pooling::last};
constexpr std::array<StoredClass, 3> kClasses = {{
    {"OPTForCausalLM", {}},
    {"OPTForSequenceClassification", kLabels},
    {"OPTModel", {.kind = HeadSpec::Kind::none}},
}};
constexpr const char* kActivationKey = "activation_function";
constexpr const char* kFirstKey = "do_layer_norm_before";
constexpr const char* kLastKey = "_remove_final_layer_norm";

constexpr std::array<StoredModule, 6> kInBlock = {{
    {"norm1", "self_attn_layer_norm"},
    {"attn.qkv", "self_attn.qkv", {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}},
    {"attn.out", "self_attn.out_proj"},
    {"norm2", "final_layer_norm"},
    {"mlp.up", "fc1"},
    {"mlp.down", "fc2"},
}};
constexpr std::array<StoredModule, 5> kBase = {{
    {"embeddings.token", "decoder.embed_tokens"},
    {"embeddings.position", "decoder.embed_positions"},
    {"embeddings.project", "decoder.project_in"},
    {"head.project", "decoder.project_out"},
    {"head.norm", "decoder.final_layer_norm"},
}};
constexpr std::array<StoredModule, 2> kHead = {{{"head.linear", "lm_head"},  //
                                                {"head.labels", "score"}}};
constexpr StoredModules kModules = {.prefix = "model.",
                                    .blocks = "decoder.layers.",
                                    .encoder_blocks = "",
                                    .in_block = kInBlock,
                                    .base = kBase,
                                    .head = kHead};

void read(const JsonFields& json, ModelSpec& spec) {
  read_sizes(kSizes, json, spec);
  check_heads(json, *find_family("opt"), spec);
  if (spec.embedding_width == spec.width) spec.embedding_width = 0;
  if (spec.embedding_width != 0 && spec.head.kind != HeadSpec::Kind::language) {
    json.refuse("word_embed_proj_dim", "hidden_size, where the head is no language head");
  }
  read_rates(kRates, json, spec);
  spec.norm_first = flag_or(json, kFirstKey, true);
  spec.final_norm = spec.norm_first && !flag_or(json, kLastKey, false);
  spec.tied = flag_or(json, "tie_word_embeddings", true);
  refuse_unless(json, "enable_bias", true);
  refuse_unless(json, "layer_norm_elementwise_affine", true);
  refuse_rate(json, "layerdrop");
  if (json.has(kActivationKey)) spec.activation = read_activation(json, kActivationKey);
}

void write(const ModelSpec& spec, nlohmann::json& json) {
  write_sizes(kSizes, spec, json);
  json["word_embed_proj_dim"] = spec.token_width();
  write_rates(kRates, spec, json);
  json[kFirstKey] = spec.norm_first;
  json[kLastKey] = spec.norm_first && !spec.final_norm;
  json["tie_word_embeddings"] = spec.tied;
}

std::vector<StoredPart> parts(const ModelSpec& spec, const std::string& parameter,
                              const Shape& shape) {
  std::vector<StoredPart> all = stored_parts(kModules, spec, parameter, shape);
  if (spec.has_tied_head() && parameter == "embeddings.token.weight") {
    add_names(all[0], {"lm_head.weight"});
  }
  return all;
}

}  // namespace

Family opt_family() {
  return {.name = "opt",
          .classes = kClasses,
          .activation_key = kActivationKey,
          .sizes = kSizes,
          .unread = {},
          .start = {.position_offset = 2, .activation = UnaryOp::relu},
          .read = read,
          .write = write,
          .parts = parts};
}

}  // namespace ty
