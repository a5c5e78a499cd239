#include "models/transformer/dropout.h"

namespace ty {

Dropout::Dropout(const BlockContext& at, double p, Lies lies)
    : p_(p), site_(site_id(at.scope.path())) {
  const Sharing& sharing = at.sharing;
  const Share own = {sharing.tensor.rank(), sharing.ranks()};
  const bool is_outside = lies == Lies::outside;
  if (is_outside && sharing.has_own_rows()) rows_ = own;
  if (lies == Lies::inside || (is_outside && sharing.has_own_columns())) columns_ = own;
}

DropoutMask Dropout::mask_of_samples(const ForwardContext& context) const {
  return ty::mask_of_samples(p_, site_, pass_of(context));
}

Tensor Dropout::operator()(const Tensor& x, const ForwardContext& context) const {
  LinearPass pass = pass_of(context);
  pass.rows = rows_;
  return drop(x, p_, site_, pass, columns_);
}

}  // namespace ty
