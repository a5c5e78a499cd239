#include "models/transformer/text_embeddings.h"

#include <cmath>
#include <vector>

#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/embedding.h"
#include "core/ops/shape.h"
#include "models/transformer/kv_cache.h"

namespace ty {

Positions::Positions(const BlockContext& at, std::int64_t context, std::int64_t offset,
                     std::int64_t width)
    : sharing_(at.sharing),
      offset_(offset),
      table_(declare_along_columns(at.scope, "weight", {context + offset, width}, 1,
                                   Init::normal(kEmbeddingStd), at.sharing)) {}

Tensor Positions::add_to(const Tensor& x, std::int64_t length, const KvCache* cache) const {
  const std::int64_t context = table_.shape[0] - offset_;
  const std::int64_t whole = length + (cache != nullptr ? cache->longest() : 0);
  if (whole > context) {
    throw ShapeError("model: a sequence of {} tokens is longer than model.context {}", whole,
                     context);
  }
  const Tensor rows = cache != nullptr ? rows_behind(*cache, x, length) : rows_for(x, length);
  return add(x, embedding(table_.value, rows));
}

Tensor Positions::rows_behind(const KvCache& cache, const Tensor& x, std::int64_t length) const {
  std::vector<std::int32_t> rows;
  for (const std::int64_t before : cache.lengths()) {
    for (std::int64_t i = 0; i < length; ++i) {
      rows.push_back(static_cast<std::int32_t>(offset_ + before + i));
    }
  }
  return Tensor::from<std::int32_t>(x.backend(), {cache.sequences(), length}, rows);
}

Tensor Positions::rows_for(const Tensor& x, std::int64_t length) const {
  const std::int64_t count = sharing_.has_own_rows() ? x.dim(0) : length;
  const std::int64_t first = sharing_.has_own_rows() ? sharing_.tensor.rank() * count : 0;
  std::vector<std::int32_t> rows(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    rows[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(offset_ + (first + i) % length);
  }
  return Tensor::from<std::int32_t>(x.backend(), {count}, rows);
}

Tensor embed_outside(const Parameter& table, const Tensor& ids, const Sharing& sharing) {
  if (!sharing.has_own_rows()) return embedding(table.value, ids);
  const std::int64_t count = ids.numel() / sharing.ranks();
  const Tensor own = narrow(reshape(ids, {-1}), 0, sharing.tensor.rank() * count, count);
  return embedding(table.value, own);
}

namespace {

const Parameter* declare_types(const BlockContext& at, std::int64_t types, std::int64_t width) {
  if (types == 0) return nullptr;
  return &declare_along_columns(at.scope, "type.weight", {types, width}, 1,
                                Init::normal(kEmbeddingStd), at.sharing);
}

}  // namespace

TokenPlaces::TokenPlaces(const BlockContext& at, const ModelSpec& spec, bool has_types)
    : sharing_(at.sharing),
      positions_(at.child("position"), spec.context, spec.position_offset, spec.width),
      types_(declare_types(at, has_types ? spec.types : 0, spec.width)),
      dropout_(at.child("dropout"), spec.dropout.embedding) {
  if (spec.embedding_norm) norm_.emplace(at.child("norm"), spec.width, spec.norm_epsilon);
}

Tensor TokenPlaces::operator()(Tensor x, std::int64_t length, const Tensor& types,
                               const ForwardContext& context) const {
  x = positions_.add_to(x, length, context.cache);
  if (types_ != nullptr) x = add(x, embed_outside(*types_, types, sharing_));
  if (norm_) x = (*norm_)(x);
  return dropout_(x, context);
}

TextEmbeddings::TextEmbeddings(const BlockContext& at, const ModelSpec& spec)
    : scale_(spec.scale_embedding ? std::sqrt(static_cast<double>(spec.width)) : 1.0),
      tokens_(make_token_table(at.child("token"), token_table_shape(spec),
                               spec.has_tied_head() ? WeightReaders::both : WeightReaders::ids)),
      places_(at, spec, true) {
  if (spec.token_width() != spec.width) {
    project_ = make_outside_linear(at, "project",
                                   {.in = spec.token_width(), .out = spec.width, .bias = false});
  }
  if (spec.has_encoder()) decoder_places_.emplace(at.child("decoder"), spec, false);
}

Tensor TextEmbeddings::vectors(const Tensor& ids) const {
  Tensor x = tokens_->embed(ids);
  if (project_) x = project_->forward(x);
  return scale_ == 1.0 ? x : scale(x, scale_);
}

Flow TextEmbeddings::forward(Flow, const ForwardContext& context) const {
  const Batch& batch = context.batch;
  if (!decoder_places_) {
    const Tensor& ids = batch.at(Column::ids);
    return {places_(vectors(ids), ids.dim(1), batch.find(Column::types), context)};
  }
  const Tensor& written = batch.at(Column::decoder_ids);
  const Tensor decoder = (*decoder_places_)(vectors(written), written.dim(1), Tensor(), context);
  if (!batch.has(Column::ids)) return {.hidden = decoder};
  ForwardContext whole = context;  // a cache is the decoder's
  whole.cache = nullptr;
  const Tensor& ids = batch.at(Column::ids);
  return {.hidden = places_(vectors(ids), ids.dim(1), batch.find(Column::types), whole),
          .memory = decoder};
}

}  // namespace ty
