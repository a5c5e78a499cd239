// Host memory of one tensor.
#pragma once

#include <cstddef>
#include <vector>

#include "core/base/view.h"

namespace ty {

struct HostTensor {
  std::vector<std::byte> bytes;
  View view;

  // Contiguous; all zero.
  HostTensor(DType dtype, const Shape& shape)
      : bytes(static_cast<std::size_t>(shape.numel()) * size_of(dtype)),
        view(contiguous_view(bytes.data(), dtype, shape)) {}
  HostTensor(const HostTensor&) = delete;
  HostTensor& operator=(const HostTensor&) = delete;
};

}  // namespace ty
