#include "models/transformer/spec.h"

#include <memory>

#include "core/base/error.h"
#include "models/transformer/label_head.h"
#include "models/transformer/language_head.h"
#include "models/transformer/patch_embeddings.h"
#include "models/transformer/transformer_block.h"

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
  if (spec.reads_images() && spec.image.size % spec.image.patch != 0) {
    throw ConfigError("model.patch: {} does not divide model.image {}", spec.image.patch,
                      spec.image.size);
  }
}

// All blocks of a model share its spec; `args` are what B wants besides.
using SharedSpec = std::shared_ptr<const ModelSpec>;

template <typename B, typename... Args>
BlockDescription block(std::string name, std::vector<Column> flow, const SharedSpec& spec,
                       Args... args) {
  return {.name = std::move(name),
          .recomputable = false,
          .build = [spec, args...](
                       const BlockContext& at) { return std::make_unique<B>(at, *spec, args...); },
          .flow = std::move(flow)};
}

// `count` of them, named by `prefix` and their number; the last one stands at `end`.
void add_layers(std::vector<BlockDescription>& blocks, const char* prefix, std::int64_t count,
                const std::vector<Column>& flow, const SharedSpec& spec, BlockPlace place,
                BlockPlace end) {
  for (std::int64_t i = 0; i < count; ++i) {
    blocks.push_back(block<TransformerBlock>(fmt::format("{}{}", prefix, i), flow, spec, i,
                                             i + 1 == count ? end : place));
    blocks.back().recomputable = true;
  }
}

BlockDescription head_of(const SharedSpec& spec, const std::vector<Column>& flow) {
  if (spec->head.kind != HeadSpec::Kind::language) return block<LabelHead>("head", flow, spec);
  BlockDescription head = block<LanguageHead>("head", flow, spec);
  if (spec->has_tied_head()) head.reads = {"embeddings.token"};
  return head;
}

}  // namespace

ModelDescription describe_model(const ModelSpec& given) {
  check(given);
  const auto spec = std::make_shared<const ModelSpec>(given);
  ModelDescription model = {.width = spec->width};
  std::vector<BlockDescription>& blocks = model.blocks;
  const Column read = spec->reads_images() ? Column::patches : Column::ids;
  blocks.push_back(spec->reads_images() ? block<PatchEmbeddings>("embeddings", {}, spec)
                                        : block<TextEmbeddings>("embeddings", {}, spec));
  if (spec->has_encoder()) {
    add_layers(blocks, "encoder.blocks.", spec->encoder_layers, {read, Column::decoder_ids}, spec,
               BlockPlace::encoder, BlockPlace::encoder_end);
    add_layers(blocks, "blocks.", spec->layers, {Column::decoder_ids, read}, spec,
               BlockPlace::decoder, BlockPlace::decoder_end);
    blocks.push_back(head_of(spec, {Column::decoder_ids}));
  } else {
    add_layers(blocks, "blocks.", spec->layers, {read}, spec, BlockPlace::alone, BlockPlace::alone);
    blocks.push_back(head_of(spec, {read}));
  }
  return model;
}

}  // namespace ty
