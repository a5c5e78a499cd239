#include "models/transformer/label_head.h"

#include <numeric>
#include <vector>

#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/embedding.h"
#include "core/ops/shape.h"
#include "parallel/tensor/region.h"

namespace ty {

namespace {

// Of what all ranks compute alike from the same numbers.
Placement placed_as_copies(const Sharing& sharing) {
  return {.counted = sharing.tensor.rank() == 0};
}

// Of each sequence, the row that stands for it.
std::vector<std::int32_t> pooled_rows(Pooling pooling, const Batch& batch, std::int64_t length) {
  std::vector<std::int32_t> rows;
  for (std::int64_t b = 0; b < batch.sequences; ++b) {
    std::int64_t token = 0;
    if (pooling == Pooling::last) {
      token = (batch.lengths.empty() ? length : batch.lengths[static_cast<std::size_t>(b)]) - 1;
    }
    rows.push_back(static_cast<std::int32_t>(b * length + token));
  }
  return rows;
}

}  // namespace

LabelHead::LabelHead(const BlockContext& at, const ModelSpec& spec)
    : sharing_(at.sharing),
      spec_(spec.head),
      results_(spec.head.is_pooled() ? spec.head.labels : spec.width),
      dropout_(at.child("dropout"), spec.dropout.head, Lies::copies) {
  if (spec.final_norm) norm_.emplace(at.child("norm"), spec.width, spec.norm_epsilon);
  const Sharing alone;
  const BlockContext copies = {at.scope.placing(placed_as_copies(at.sharing)),
                               at.linear,
                               alone,
                               at.sites,
                               at.layers,
                               at.observer};
  if (spec_.pooler) {
    pooler_ = copies.make_linear("pooler", {.in = spec.width, .out = spec.width}, Split::none);
  }
  if (!spec_.is_pooled()) return;
  if (spec_.labels < 1) {
    throw ConfigError("model: a head of {} labels; want at least 1", spec_.labels);
  }
  labels_ = copies.make_linear(
      "labels", {.in = spec.width, .out = spec_.labels, .bias = spec_.label_bias}, Split::none);
}

Tensor LabelHead::rows(const Tensor& x, const std::vector<std::int32_t>& numbers,
                       std::int64_t all_rows) const {
  const Tensor table = reshape(x, {-1, x.dim(-1)});
  const Tensor ids = Tensor::from<std::int32_t>(x.backend(), {std::ssize(numbers)}, numbers);
  if (sharing_.has_own_rows()) {
    const VocabularySlice own = {sharing_.tensor.rank() * table.dim(0), all_rows};
    return all_reduce_identity(embedding(table, ids, own), sharing_.tensor);
  }
  const Tensor chosen = embedding(table, ids);
  return sharing_.has_own_columns() ? all_gather_columns(chosen, sharing_.tensor) : chosen;
}

Flow LabelHead::forward(Flow in, const ForwardContext& context) const {
  const Tensor x = norm_ ? (*norm_)(in.hidden) : in.hidden;
  const std::int64_t ranks = sharing_.has_own_rows() ? sharing_.ranks() : 1;
  const std::int64_t all = x.numel() / x.dim(-1) * ranks;
  if (!labels_) {
    std::vector<std::int32_t> every(static_cast<std::size_t>(all));
    std::iota(every.begin(), every.end(), 0);
    return {rows(x, every, all)};
  }
  const std::int64_t length = all / context.batch.sequences;
  const Tensor chosen = rows(x, pooled_rows(spec_.pooling, context.batch, length), all);
  return {dropout_(through_pooler(chosen), context)};
}

Tensor LabelHead::through_pooler(const Tensor& chosen) const {
  return pooler_ ? activation(*spec_.pooler, pooler_->forward(chosen)) : chosen;
}

Tensor LabelHead::pooled(const Tensor& rows, const Batch& batch) const {
  if (labels_ || !pooler_) return {};
  const std::vector<std::int32_t> numbers =
      pooled_rows(spec_.pooling, batch, rows.dim(0) / batch.sequences);
  const Tensor ids = Tensor::from<std::int32_t>(rows.backend(), {std::ssize(numbers)}, numbers);
  return through_pooler(embedding(rows, ids));
}

Tensor LabelHead::logits(const Tensor& hidden) const {
  return labels_ ? labels_->forward(hidden) : hidden;
}

}  // namespace ty
