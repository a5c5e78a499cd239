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
  if (capped_.empty()) return;
  squares_ = Tensor::empty(all[capped_.front()].value.backend(),
                           {static_cast<std::int64_t>(capped_.size())}, DType::f64,
                           MemoryClass::workspace);
}

void NormCap::begin_step() {
  for (std::size_t i = 0; i < capped_.size(); ++i) {
    const Tensor value = store_->all()[capped_[i]].value.detach();
    const View to = squares_.view().slice(0, static_cast<std::int64_t>(i), 1);
    value.backend().sum_squares(to, value.view());
  }
  if (divided_ > 0) add_up_(squares_.view().slice(0, 0, divided_));
}

View NormCap::squares(std::size_t parameter) const {
  const auto found = std::find(capped_.begin(), capped_.end(), parameter);
  TY_CHECK(found != capped_.end(), "{} is not capped", store_->all()[parameter].name);
  return squares_.view().slice(0, found - capped_.begin(), 1);
}

}  // namespace ty
