#include "models/families/bert.h"

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
    {&ModelSpec::types, {1, kMostRows}, {"type_vocab_size"}, 2},
    {&ModelSpec::inner, {1, 16 * kMostWidth}, {"intermediate_size"}},
}};
constexpr const char* kHeadRateKey = "classifier_dropout";  // the next one where it is null
constexpr std::array<RateKey, 3> kRates = {{
    {&DropoutRates::attention, "attention_probs_dropout_prob", 0.1},
    {&DropoutRates::embedding, "hidden_dropout_prob", 0.1},
    {&DropoutRates::residual, "hidden_dropout_prob", 0.1},
}};
constexpr HeadSpec kMasked = {.transform = true, .bias = true};
constexpr std::array<StoredClass, 4> kClasses = {{
    {"BertForMaskedLM", kMasked},
    {"BertForPreTraining", kMasked},  // without its second task
    {"BertForSequenceClassification", {.kind = HeadSpec::Kind::labels, .pooler = UnaryOp::tanh}},
    {"BertModel", {.kind = HeadSpec::Kind::none, .pooler = UnaryOp::tanh}},
}};
constexpr const char* kActivationKey = "hidden_act";
// Buffers, and what a masked language model does not read.
constexpr std::array<std::string_view, 4> kUnread = {"*embeddings.position_ids",
                                                     "*embeddings.token_type_ids",
                                                     "*pooler.dense.*", "cls.seq_relationship.*"};

constexpr std::array<StoredModule, 6> kInBlock = {{
    {"norm1", "attention.output.LayerNorm"},
    {"attn.qkv",
     "attention.self.qkv",
     {"attention.self.query", "attention.self.key", "attention.self.value"}},
    {"attn.out", "attention.output.dense"},
    {"norm2", "output.LayerNorm"},
    {"mlp.up", "intermediate.dense"},
    {"mlp.down", "output.dense"},
}};
constexpr std::array<StoredModule, 5> kBase = {{
    {"embeddings.token", "embeddings.word_embeddings"},
    {"embeddings.position", "embeddings.position_embeddings"},
    {"embeddings.type", "embeddings.token_type_embeddings"},
    {"embeddings.norm", "embeddings.LayerNorm"},
    {"head.pooler", "pooler.dense"},
}};
constexpr std::array<StoredModule, 5> kHead = {{
    {"head.transform", "cls.predictions.transform.dense"},
    {"head.transform_norm", "cls.predictions.transform.LayerNorm"},
    {"head.linear", "cls.predictions.decoder"},
    {"head.labels", "classifier"},
    {"head", "cls.predictions"},  // its bias
}};
constexpr StoredModules kModules = {.prefix = "bert.",
                                    .blocks = "encoder.layer.",
                                    .encoder_blocks = "",
                                    .in_block = kInBlock,
                                    .base = kBase,
                                    .head = kHead};

void read(const JsonFields& json, ModelSpec& spec) {
  read_sizes(kSizes, json, spec);
  check_heads(json, *find_family("bert"), spec);
  read_rates(kRates, json, spec);
  spec.dropout.head =
      json.has(kHeadRateKey) ? json.number(kHeadRateKey, 0, 1) : spec.dropout.residual;
  if (json.has("layer_norm_eps")) spec.norm_epsilon = json.number("layer_norm_eps", 0, 1);
  spec.tied = flag_or(json, "tie_word_embeddings", true);
  refuse_unless(json, "is_decoder", false);
  refuse_unless(json, "add_cross_attention", false);
  if (json.has("position_embedding_type") && json.text("position_embedding_type") != "absolute") {
    json.refuse("position_embedding_type", "absolute; nothing else is supported");
  }
  if (json.has(kActivationKey)) spec.activation = read_activation(json, kActivationKey);
}

void write(const ModelSpec& spec, nlohmann::json& json) {
  write_sizes(kSizes, spec, json);
  write_rates(kRates, spec, json);
  json[kHeadRateKey] = nullptr;
  if (spec.dropout.head != spec.dropout.residual) json[kHeadRateKey] = spec.dropout.head;
  json["layer_norm_eps"] = spec.norm_epsilon;
  json["tie_word_embeddings"] = spec.tied;
}

// Norms of the first files have gamma and beta.
void add_old_names(StoredPart& part) {
  for (std::size_t i = 0, count = part.names.size(); i < count; ++i) {
    const std::string& name = part.names[i];
    const std::size_t at = name.find("LayerNorm.");
    if (at == std::string::npos) return;
    const std::string leaf = name.substr(at + 10);
    part.names.push_back(name.substr(0, at + 10) + (leaf == "weight" ? "gamma" : "beta"));
  }
}

std::vector<StoredPart> parts(const ModelSpec& spec, const std::string& parameter,
                              const Shape& shape) {
  std::vector<StoredPart> all = stored_parts(kModules, spec, parameter, shape);
  add_old_names(all[0]);
  if (parameter == "embeddings.token.weight" && spec.has_tied_head()) {
    add_names(all[0], {"cls.predictions.decoder.weight"});
  }
  // Where the head is untied, the library adds its bias and not the other.
  if (parameter == "head.bias") {
    all[0].names = {"cls.predictions.bias", "cls.predictions.decoder.bias"};
    if (!spec.tied) std::swap(all[0].names[0], all[0].names[1]);
  }
  return all;
}

}  // namespace

Family bert_family() {
  return {.name = "bert",
          .classes = kClasses,
          .activation_key = kActivationKey,
          .sizes = kSizes,
          .unread = kUnread,
          .start = {.types = 2,
                    .head = kMasked,
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
