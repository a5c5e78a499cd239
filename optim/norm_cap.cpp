#include "optim/norm_cap.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace ty {

NormCap::NormCap(const ParameterStore& store, const IsCapped& is_capped, AddUp add_up)
    : store_(&store), add_up_(std::move(add_up)) {
  const auto& all = store.all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].trainable && is_capped(all[i])) capped_.push_back(i);
  }
  const auto whole = std::stable_partition(capped_.begin(), capped_.end(), [&](std::size_t i) {
    return all[i].whole() != all[i].shape;
  });
  divided_ = whole - capped_.begin();
}

void NormCap::begin_step() {
  if (capped_.empty()) return;
  Backend& backend = store_->all()[capped_.front()].value.backend();
  const auto count = static_cast<std::int64_t>(capped_.size());
  if (!squares_.defined()) {
    squares_ = Tensor::empty(backend, {count}, DType::f64, MemoryClass::workspace);
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const Parameter& each = store_->all()[capped_[static_cast<std::size_t>(i)]];
    backend.sum_squares(squares_.view().slice(0, i, 1), each.value.detach().view());
  }
  if (divided_ > 0) add_up_(squares_.view().slice(0, 0, divided_));
}

View NormCap::squares(std::size_t parameter) const {
  const auto found = std::find(capped_.begin(), capped_.end(), parameter);
  TY_CHECK(found != capped_.end(), "{} is not capped", store_->all()[parameter].name);
  return squares_.view().slice(0, found - capped_.begin(), 1);
}

}  // namespace ty
