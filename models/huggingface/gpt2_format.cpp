#include "models/huggingface/gpt2_format.h"

#include <array>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/base/glob.h"

namespace ty {

namespace {

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

}  // namespace

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
