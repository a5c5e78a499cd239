#include "models/families/distilbert.h"

#include <nlohmann/json.hpp>

#include "models/families/activation_names.h"
#include "models/families/config_keys.h"
#include "models/families/size_keys.h"
#include "models/families/stored_parts.h"

namespace ty {

namespace {

constexpr std::array<StoredSize, 6> kSizes = {{
    {&ModelSpec::layers, {0, 1000}, {"n_layers", "num_hidden_layers"}},
    {&ModelSpec::width, {1, kMostWidth}, {"dim", "hidden_size"}},
    {&ModelSpec::heads, {1, kMostWidth}, {"n_heads", "num_attention_heads"}},
    {&ModelSpec::context, {1, kMostRows}, {"max_position_embeddings"}},
    {&ModelSpec::vocab, {1, kMostRows}, {"vocab_size"}},
    {&ModelSpec::inner, {1, 16 * kMostWidth}, {"hidden_dim"}},
}};
constexpr std::array<RateKey, 4> kRates = {{
    {&DropoutRates::attention, "attention_dropout", 0.1},
    {&DropoutRates::head, "seq_classif_dropout", 0.2},
    {&DropoutRates::embedding, "dropout", 0.1},
    {&DropoutRates::residual, "dropout", 0.1},
}};
constexpr HeadSpec kMasked = {.transform = true, .bias = true};
constexpr std::array<StoredClass, 3> kClasses = {{
    {"DistilBertForMaskedLM", kMasked},
    {"DistilBertForSequenceClassification",
     {.kind = HeadSpec::Kind::labels, .pooler = UnaryOp::relu}},
    {"DistilBertModel", {.kind = HeadSpec::Kind::none}},
}};
constexpr const char* kActivationKey = "activation";
constexpr std::array<std::string_view, 1> kUnread = {"*embeddings.position_ids"};

constexpr std::array<StoredModule, 6> kInBlock = {{
    {"norm1", "sa_layer_norm"},
    {"attn.qkv", "attention.qkv_lin", {"attention.q_lin", "attention.k_lin", "attention.v_lin"}},
    {"attn.out", "attention.out_lin"},
    {"norm2", "output_layer_norm"},
    {"mlp.up", "ffn.lin1"},
    {"mlp.down", "ffn.lin2"},
}};
constexpr std::array<StoredModule, 3> kBase = {{
    {"embeddings.token", "embeddings.word_embeddings"},
    {"embeddings.position", "embeddings.position_embeddings"},
    {"embeddings.norm", "embeddings.LayerNorm"},
}};
constexpr std::array<StoredModule, 6> kHead = {{
    {"head.transform", "vocab_transform"},
    {"head.transform_norm", "vocab_layer_norm"},
    {"head.linear", "vocab_projector"},
    {"head.pooler", "pre_classifier"},
    {"head.labels", "classifier"},
    {"head", "vocab_projector"},  // its bias
}};
constexpr StoredModules kModules = {.prefix = "distilbert.",
                                    .blocks = "transformer.layer.",
                                    .encoder_blocks = "",
                                    .in_block = kInBlock,
                                    .base = kBase,
                                    .head = kHead};

void read(const JsonFields& json, ModelSpec& spec) {
  read_sizes(kSizes, json, spec);
  check_heads(json, *find_family("distilbert"), spec);
  read_rates(kRates, json, spec);
  spec.tied = flag_or(json, "tie_word_embeddings", true);
  // Where positions are sines, the table holds them: sinusoidal_pos_embds changes no number.
  if (json.has(kActivationKey)) spec.activation = read_activation(json, kActivationKey);
}

void write(const ModelSpec& spec, nlohmann::json& json) {
  write_sizes(kSizes, spec, json);
  write_rates(kRates, spec, json);
  json["tie_word_embeddings"] = spec.tied;
}

std::vector<StoredPart> parts(const ModelSpec& spec, const std::string& parameter,
                              const Shape& shape) {
  std::vector<StoredPart> all = stored_parts(kModules, spec, parameter, shape);
  if (parameter == "embeddings.token.weight" && spec.has_tied_head()) {
    add_names(all[0], {"vocab_projector.weight"});
  }
  return all;
}

}  // namespace

Family distilbert_family() {
  return {.name = "distilbert",
          .classes = kClasses,
          .activation_key = kActivationKey,
          .sizes = kSizes,
          .unread = kUnread,
          .start = {.head = kMasked,
                    .causal = false,
                    .norm_first = false,
                    .final_norm = false,
                    .embedding_norm = true,
                    .activation = UnaryOp::gelu_erf,
                    .norm_epsilon = 1e-12},
          .read = read,
          .write = write,
          .parts = parts};
}

}  // namespace ty
