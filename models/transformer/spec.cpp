#include "models/transformer/spec.h"

#include <memory>

#include "core/base/error.h"
#include "models/transformer/decoder_block.h"
#include "models/transformer/embeddings.h"
#include "models/transformer/head.h"

namespace ty {

namespace {

void check(const ModelSpec& spec) {
  if (spec.layers < 0 || spec.width < 1 || spec.heads < 1 || spec.context < 1 || spec.vocab < 1 ||
      spec.inner < 0) {
    throw ConfigError(
        "model: sizes must be positive: layers {}, width {}, heads {}, inner {}, "
        "context {}, vocab {}",
        spec.layers, spec.width, spec.heads, spec.inner_width(), spec.context, spec.vocab);
  }
  if (spec.width % spec.heads != 0) {
    throw ConfigError("model.heads: {} does not divide model.width {}", spec.heads, spec.width);
  }
}

// All blocks of a model share its spec; `args` are what B wants besides.
using SharedSpec = std::shared_ptr<const ModelSpec>;

template <typename B, typename... Args>
BlockDescription block(std::string name, bool recomputable, const SharedSpec& spec, Args... args) {
  return {std::move(name), recomputable, [spec, args...](const BlockContext& at) {
            return std::make_unique<B>(at, *spec, args...);
          }};
}

}  // namespace

ModelDescription describe_model(const ModelSpec& given) {
  check(given);
  const auto spec = std::make_shared<const ModelSpec>(given);
  ModelDescription model = {.width = spec->width};
  std::vector<BlockDescription>& blocks = model.blocks;
  blocks.push_back(block<Embeddings>("embeddings", false, spec));
  for (std::int64_t i = 0; i < spec->layers; ++i) {
    blocks.push_back(block<DecoderBlock>(fmt::format("blocks.{}", i), true, spec, i));
  }
  blocks.push_back(block<Head>("head", false, spec));
  if (spec->tied) blocks.back().reads = {"embeddings.token"};
  return model;
}

}  // namespace ty
