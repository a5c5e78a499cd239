#include "models/transformer/gpt2.h"

#include <cmath>

#include "core/base/error.h"
#include "core/ops/attention.h"
#include "core/ops/elementwise.h"
#include "core/ops/embedding.h"
#include "core/ops/norm.h"
#include "models/transformer/token_table.h"

namespace ty {

namespace {

constexpr double kWeightStd = 0.02;

// Gain and bias of a layer normalisation at one place.
class Norm {
 public:
  Norm(const Scope& scope, std::int64_t width, double epsilon)
      : gain_(scope.parameter("weight", {width}, Init::constant(1.0))),
        bias_(scope.parameter("bias", {width}, Init::constant(0.0))),
        epsilon_(epsilon) {}
  Tensor operator()(const Tensor& x) const {
    return layer_norm(x, gain_.value, bias_.value, epsilon_);
  }

 private:
  const Parameter& gain_;
  const Parameter& bias_;
  double epsilon_;
};

// Dropout at one named place; the identity outside training.
class Dropout {
 public:
  Dropout(const Scope& scope, double p) : p_(p), site_(site_id(scope.path())) {}
  DropoutMask mask(const ForwardContext& context) const {
    const double p = context.training ? p_ : 0.0;
    return {p, RandomStream(context.seed, site_, static_cast<std::uint64_t>(context.step)),
            context.first_sample};
  }
  Tensor operator()(const Tensor& x, const ForwardContext& context) const {
    return dropout(x, mask(context));
  }

 private:
  double p_;
  std::uint64_t site_;
};

class Embeddings final : public Block {
 public:
  Embeddings(const BlockContext& at, const Gpt2Config& config)
      : tokens_(make_token_table(at.child("token"),
                                 {.vocab = config.vocab, .width = config.width, .std = kWeightStd},
                                 config.tied)),
        positions_(at.scope.parameter("position.weight", {config.context, config.width},
                                      Init::normal(kWeightStd))),
        dropout_(at.scope.child("dropout"), config.dropout.embedding) {}

  Tensor forward(const Tensor& ids, const ForwardContext& context) const override {  // [B, T]
    const std::int64_t length = ids.dim(1);
    if (length > positions_.shape[0]) {
      throw ShapeError("model: a sequence of {} tokens is longer than model.context {}", length,
                       positions_.shape[0]);
    }
    std::vector<std::int32_t> order(static_cast<std::size_t>(length));
    for (std::size_t t = 0; t < order.size(); ++t) order[t] = static_cast<std::int32_t>(t);
    const Tensor places = Tensor::from<std::int32_t>(ids.backend(), {length}, order);
    const Tensor x = add(tokens_->embed(ids), embedding(positions_.value, places));
    return dropout_(x, context);  // [B, T, C]
  }

 private:
  std::unique_ptr<TokenTable> tokens_;
  const Parameter& positions_;
  Dropout dropout_;
};

// What attention scores of block `layer` (from 0) are multiplied by.
double attention_scale(const Gpt2Config& config, std::int64_t layer) {
  const auto width = static_cast<double>(config.width / config.heads);
  const double scale = config.scale_by_width ? 1.0 / std::sqrt(width) : 1.0;
  return config.scale_by_depth ? scale / static_cast<double>(layer + 1) : scale;
}

class Attention {
 public:
  Attention(const BlockContext& at, const Gpt2Config& config, std::int64_t layer,
            double residual_std)
      : heads_(config.heads),
        scale_(attention_scale(config, layer)),
        qkv_(at.make_linear("qkv", {.in = config.width, .out = 3 * config.width}, Split::out)),
        out_(at.make_linear("out",
                            {.in = config.width, .out = config.width, .weight_std = residual_std},
                            Split::in)),
        probabilities_(at.scope.child("dropout"), config.dropout.attention) {}
  Tensor operator()(const Tensor& x, const ForwardContext& context) const {  // [B, T, C]
    const AttentionOptions options = {
        .scale = scale_, .causal = true, .dropout = probabilities_.mask(context)};
    return out_->forward(self_attention(qkv_->forward(x), heads_, options));
  }

 private:
  std::int64_t heads_;
  double scale_;
  std::unique_ptr<Linear> qkv_, out_;
  Dropout probabilities_;
};

class Mlp {
 public:
  Mlp(const BlockContext& at, const Gpt2Config& config, double residual_std)
      : activation_(config.activation),
        up_(at.make_linear("up", {.in = config.width, .out = config.inner}, Split::out)),
        down_(at.make_linear("down",
                             {.in = config.inner, .out = config.width, .weight_std = residual_std},
                             Split::in)) {}
  Tensor operator()(const Tensor& x) const {
    return down_->forward(activation(activation_, up_->forward(x)));
  }

 private:
  UnaryOp activation_;
  std::unique_ptr<Linear> up_, down_;
};

class TransformerBlock final : public Block {
 public:
  TransformerBlock(const BlockContext& at, const Gpt2Config& config, std::int64_t layer)
      : TransformerBlock(at, config, layer,
                         kWeightStd / std::sqrt(2.0 * static_cast<double>(config.layers))) {}
  Tensor forward(const Tensor& x, const ForwardContext& context) const override {  // [B, T, C]
    const Tensor h = add(x, attention_dropout_(attention_(norm1_(x), context), context));
    return add(h, mlp_dropout_(mlp_(norm2_(h)), context));
  }

 private:
  TransformerBlock(const BlockContext& at, const Gpt2Config& config, std::int64_t layer,
                   double residual_std)
      : norm1_(at.scope.child("norm1"), config.width, config.norm_epsilon),
        attention_(at.child("attn"), config, layer, residual_std),
        attention_dropout_(at.scope.child("attn.out.dropout"), config.dropout.residual),
        norm2_(at.scope.child("norm2"), config.width, config.norm_epsilon),
        mlp_(at.child("mlp"), config, residual_std),
        mlp_dropout_(at.scope.child("mlp.down.dropout"), config.dropout.residual) {}

  Norm norm1_;
  Attention attention_;
  Dropout attention_dropout_;
  Norm norm2_;
  Mlp mlp_;
  Dropout mlp_dropout_;
};

class Head final : public Block {
 public:
  Head(const BlockContext& at, const Gpt2Config& config)
      : norm_(at.scope.child("norm"), config.width, config.norm_epsilon) {
    if (config.tied) {
      table_ = find_token_table(at.scope.store(), "embeddings.token");
    } else {
      map_ = at.make_linear("linear", {.in = config.width, .out = config.vocab, .bias = false},
                            Split::out);
    }
  }
  Tensor forward(const Tensor& x, const ForwardContext&) const override {  // logits [B, T, V]
    const Tensor h = norm_(x);
    return map_ ? map_->forward(h) : table_->logits(h);
  }

 private:
  Norm norm_;
  std::unique_ptr<TokenTable> table_;  // tied
  std::unique_ptr<Linear> map_;        // untied
};

// All blocks of a model share its configuration; `args` are what B wants besides.
using SharedConfig = std::shared_ptr<const Gpt2Config>;

template <typename B, typename... Args>
BlockDescription describe(std::string name, bool recomputable, const SharedConfig& config,
                          Args... args) {
  return {std::move(name), recomputable, [config, args...](const BlockContext& at) {
            return std::make_unique<B>(at, *config, args...);
          }};
}

}  // namespace

ModelDescription describe_gpt2(const Gpt2Config& given) {
  Gpt2Config config = given;
  if (config.inner == 0) config.inner = 4 * config.width;
  if (config.layers < 0 || config.width < 1 || config.heads < 1 || config.context < 1 ||
      config.vocab < 1 || config.inner < 1) {
    throw ConfigError(
        "model: sizes must be positive: layers {}, width {}, heads {}, inner {}, "
        "context {}, vocab {}",
        config.layers, config.width, config.heads, config.inner, config.context, config.vocab);
  }
  if (config.width % config.heads != 0) {
    throw ConfigError("model.heads: {} does not divide model.width {}", config.heads, config.width);
  }
  const auto shared = std::make_shared<const Gpt2Config>(config);
  ModelDescription blocks;
  blocks.push_back(describe<Embeddings>("embeddings", false, shared));
  for (std::int64_t i = 0; i < config.layers; ++i) {
    blocks.push_back(describe<TransformerBlock>(fmt::format("blocks.{}", i), true, shared, i));
  }
  blocks.push_back(describe<Head>("head", false, shared));
  return blocks;
}

}  // namespace ty
