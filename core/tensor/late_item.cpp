#include "core/tensor/late_item.h"

#include "core/backend/device_queue.h"
#include "core/base/error.h"

namespace ty {

LateItem::LateItem(const Tensor& x) {
  if (x.numel() != 1) throw ShapeError("item: wants one element, got {}", x.shape().str());
  auto* queue = dynamic_cast<DeviceQueue*>(&x.backend());
  if (queue == nullptr) {
    value_ = x.item();
  } else {
    copy_ = queue->start_read(x.to(DType::f64).view());
  }
}

LateItem::LateItem(LateItem&&) noexcept = default;
LateItem::~LateItem() = default;

double LateItem::value() {
  if (copy_ != nullptr) {
    copy_->take(&value_);
    copy_.reset();
  }
  return value_;
}

}  // namespace ty
