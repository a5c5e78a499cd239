#include "models/families/gpt2.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/error.h"
#include "core/base/glob.h"
#include "models/families/activation_names.h"
#include "models/families/config_keys.h"
#include "models/families/size_keys.h"
#include "models/families/stored_parts.h"

namespace ty {

namespace {

constexpr std::array<StoredSize, 6> kSizes = {{
    {&ModelSpec::layers, {0, 1000}, {"n_layer", "num_hidden_layers"}},
    {&ModelSpec::width, {1, kMostWidth}, {"n_embd", "hidden_size"}},
    {&ModelSpec::heads, {1, kMostWidth}, {"n_head", "num_attention_heads"}},
    {&ModelSpec::context, {1, kMostRows}, {"n_positions", "max_position_embeddings", "n_ctx"}},
    {&ModelSpec::vocab, {1, kMostRows}, {"vocab_size"}},
    {&ModelSpec::inner, {1, 16 * kMostWidth}, {"n_inner"}, 0},
}};

constexpr std::array<RateKey, 3> kRates = {{
    {&DropoutRates::embedding, "embd_pdrop", 0.1},
    {&DropoutRates::attention, "attn_pdrop", 0.1},
    {&DropoutRates::residual, "resid_pdrop", 0.1},
}};

constexpr HeadSpec kLabels = {
    .kind = HeadSpec::Kind::labels, .label_bias = false, .pooling = Pooling::last};
constexpr std::array<StoredClass, 3> kClasses = {{
    {"GPT2LMHeadModel", {}},
    {"GPT2ForSequenceClassification", kLabels},
    {"GPT2Model", {.kind = HeadSpec::Kind::none}},
}};

constexpr const char* kActivationKey = "activation_function";
constexpr std::array<std::string_view, 2> kUnread = {"*h.*.attn.bias", "*h.*.attn.masked_bias"};

void read(const JsonFields& json, ModelSpec& spec) {
  read_sizes(kSizes, json, spec);
  if (spec.width % spec.heads != 0) {
    throw DataError("{}: n_head: {} does not divide n_embd {}", json.place(), spec.heads,
                    spec.width);
  }
  read_rates(kRates, json, spec);
  if (json.has("layer_norm_epsilon")) spec.norm_epsilon = json.number("layer_norm_epsilon", 0, 1);
  spec.tied = flag_or(json, "tie_word_embeddings", true);
  spec.scale_by_width = flag_or(json, "scale_attn_weights", true);
  spec.scale_by_depth = flag_or(json, "scale_attn_by_inverse_layer_idx", false);
  flag_or(json, "reorder_and_upcast_attn", false);  // ours is never less precise
  refuse_unless(json, "add_cross_attention", false);
  if (json.has(kActivationKey)) spec.activation = read_activation(json, kActivationKey);
}

void write(const ModelSpec& spec, nlohmann::json& json) {
  write_sizes(kSizes, spec, json);
  json["n_ctx"] = spec.context;
  write_rates(kRates, spec, json);
  json["layer_norm_epsilon"] = spec.norm_epsilon;
  json["tie_word_embeddings"] = spec.tied;
  json["scale_attn_weights"] = spec.scale_by_width;
  json["scale_attn_by_inverse_layer_idx"] = spec.scale_by_depth;
}

// Modules of ours and their public names; "blocks.N." <-> "h.N." is handled before.
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kModules = {{
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
    {"head.labels", "score"},
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
  if (parameter.starts_with("head.") && !parameter.starts_with("head.norm.")) {
    const bool is_weight = bare == "lm_head.weight" || bare == "score.weight";
    return {is_weight ? transposed({bare}, shape) : StoredPart{{bare}, shape}};
  }
  StoredPart part = {{"transformer." + bare, bare}, shape};
  if (spec.head.kind == HeadSpec::Kind::none) std::swap(part.names[0], part.names[1]);
  // A tied table may be stored as the head only.
  if (spec.has_tied_head() && bare == "wte.weight") part.names.push_back("lm_head.weight");
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
          .classes = kClasses,
          .activation_key = kActivationKey,
          .sizes = kSizes,
          .unread = kUnread,
          .read = read,
          .write = write,
          .parts = parts};
}

}  // namespace ty
