#include "models/transformer/dropout.h"

#include "core/ops/elementwise.h"
#include "core/ops/shape.h"

namespace ty {

Dropout::Dropout(const BlockContext& at, double p, Lies lies)
    : p_(p),
      site_(site_id(at.scope.path())),
      has_own_rows_(lies == Lies::outside && at.sharing.has_own_rows()),
      has_own_columns_(lies == Lies::inside
                           ? at.sharing.ranks() > 1
                           : lies == Lies::outside && at.sharing.has_own_columns()),
      rank_(at.sharing.tensor.rank()),
      ranks_(at.sharing.ranks()) {}

DropoutMask Dropout::mask_of_samples(const ForwardContext& context) const {
  const double p = context.training ? p_ : 0.0;
  return {p, RandomStream(context.seed, site_, static_cast<std::uint64_t>(context.step)),
          context.batch.first_sample};
}

Tensor Dropout::operator()(const Tensor& x, const ForwardContext& context) const {
  DropoutMask mask = mask_of_samples(context);
  const std::int64_t rows = x.numel() / x.dim(-1);
  if (has_own_rows_) {  // x [R, C]
    mask.rows_per_sample = ranks_ * rows / context.batch.sequences;
    mask.first_row = mask.first_row * mask.rows_per_sample + rank_ * rows;
  }
  if (!has_own_columns_) return dropout(x, mask);
  mask.rows_per_sample = rows / context.batch.sequences;
  mask.first_row *= mask.rows_per_sample;
  mask.first_element = rank_ * x.dim(-1);
  mask.whole_width = ranks_ * x.dim(-1);
  return reshape(dropout(reshape(x, {-1, x.dim(-1)}), mask), x.shape());
}

}  // namespace ty
