// Attention's operands as kernels take them.
#pragma once

#include "core/backend/cuda/kernel/attention.h"
#include "core/base/view.h"

namespace ty::cuda {

// Of x [B, H, T] or [B, H, T, D].
template <typename T>
kernel::Heads<T> heads_of(const View& x) {
  return {x.as<T>(), x.strides[0], x.strides[1], x.strides[2]};
}

}  // namespace ty::cuda
