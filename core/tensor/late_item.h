// LateItem: a number of the backend's, wanted later. Where kernels run behind the host, its copy is
// put behind them and only value() waits; elsewhere it is read at once.
#pragma once

#include <memory>

#include "core/tensor/tensor.h"

namespace ty {

class HostCopy;

class LateItem {
 public:
  // x: one element, of any float type. Throws ShapeError if it has more.
  explicit LateItem(const Tensor& x);
  LateItem(LateItem&&) noexcept;
  ~LateItem();

  // The number, every time anew.
  double value();

 private:
  std::unique_ptr<HostCopy> copy_;  // null: value_ is there
  double value_ = 0.0;
};

}  // namespace ty
