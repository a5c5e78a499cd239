#include "core/ops/shape.h"

#include <vector>

#include "core/base/error.h"

namespace ty {

namespace {

Shape resolve(Shape shape, const Shape& from) {
  int unknown = -1;
  std::int64_t known = 1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == -1 && unknown == -1) {
      unknown = i;
    } else {
      known *= shape[i];
    }
  }
  if (unknown >= 0 && known > 0) shape[unknown] = from.numel() / known;
  if (shape.numel() != from.numel()) {
    throw ShapeError("reshape: {} has {} elements, {} has {}", from.str(), from.numel(),
                     shape.str(), shape.numel());
  }
  return shape;
}

}  // namespace

Tensor reshape(const Tensor& x, Shape shape) {
  shape = resolve(shape, x.shape());
  const Tensor base = x.contiguous();
  Tensor y = base.alias(contiguous_view(base.view().data, base.dtype(), shape));
  return record("reshape", y, {x}, [from = x.shape()](const Tensor& dy) {
    return Grads{dy.alias(contiguous_view(dy.view().data, dy.dtype(), from))};
  });
}

Tensor permute(const Tensor& x, std::span<const int> order) {
  if (static_cast<int>(order.size()) != x.rank()) {
    throw ShapeError("permute: {} dimensions of {} named", order.size(), x.shape().str());
  }
  const std::vector<int> forward(order.begin(), order.end());
  std::vector<int> inverse(forward.size());
  for (std::size_t i = 0; i < forward.size(); ++i) {
    inverse[static_cast<std::size_t>(forward[i])] = static_cast<int>(i);
  }
  return record("permute", x.alias(x.view().permute(forward)), {x}, [inverse](const Tensor& dy) {
    return Grads{dy.alias(dy.view().permute(inverse))};
  });
}

Tensor narrow(const Tensor& x, int dim, std::int64_t first, std::int64_t count) {
  if (dim >= x.rank() || first < 0 || count < 0 || first + count > x.dim(dim)) {
    throw ShapeError("narrow: [{}, {}) of dimension {} of {}", first, first + count, dim,
                     x.shape().str());
  }
  if (count == x.dim(dim)) return x;
  return record("narrow", x.alias(x.view().slice(dim, first, count)), {x},
                [dim, first, count, shape = x.shape()](const Tensor& dy) {
                  const Tensor dx = Tensor::full(dy.backend(), shape, dy.dtype(), 0.0);
                  dy.backend().copy(dx.view().slice(dim, first, count), dy.view());
                  return Grads{dx};
                });
}

Tensor contiguous(const Tensor& x) {
  if (x.view().is_contiguous()) return x;
  return record("contiguous", x.contiguous(), {x},
                [](const Tensor& dy) { return Grads{dy.detach()}; });
}

namespace {

// [N, ..] as [N, parts, ..]: N is the first dimension divided by parts.
Shape in_parts(const Shape& shape, std::int64_t parts) {
  Shape result = {shape[0] / parts, parts};
  for (int d = 1; d < shape.rank(); ++d) result.push_back(shape[d]);
  return result;
}

}  // namespace

Tensor every_second(const Tensor& x, std::int64_t first) {
  Shape half = x.shape();
  half[0] /= 2;
  return reshape(narrow(reshape(x, in_parts(x.shape(), 2)), 1, first, 1), half);
}

Tensor interleave(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.rank() < 1) {
    throw ShapeError("interleave: wants two of one shape, got {} and {}", a.shape().str(),
                     b.shape().str());
  }
  Shape both = a.shape();
  both[0] *= 2;
  const Tensor y = Tensor::empty(a.backend(), both, a.dtype());
  const View pairs = y.view().reshape(in_parts(both, 2));
  for (const auto& [part, from] : {std::pair(0, a.contiguous()), std::pair(1, b.contiguous())}) {
    a.backend().copy(pairs.slice(1, part, 1), from.view().reshape(in_parts(from.shape(), 1)));
  }
  return record("interleave", y, {a, b}, [](const Tensor& dy) {
    return Grads{every_second(dy, 0).contiguous(), every_second(dy, 1).contiguous()};
  });
}

}  // namespace ty
