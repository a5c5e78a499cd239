#include "core/ops/attention.h"

#include <cmath>

#include "core/base/error.h"

namespace ty {

View head_view(const View& qkv, std::int64_t heads, int which) {
  const std::int64_t width = qkv.shape[2] / (3 * heads);
  View view = contiguous_view(qkv.data, qkv.dtype, {qkv.shape[0], qkv.shape[1], heads, 3, width});
  view = view.slice(3, which, 1);
  view.shape.erase(3);
  view.strides.erase(3);
  return view.transpose(1, 2);
}

namespace {

// [B, T, C] as [B, H, T, D].
View split_heads(const Tensor& x, std::int64_t heads) {
  return contiguous_view(x.view().data, x.dtype(), {x.dim(0), x.dim(1), heads, x.dim(2) / heads})
      .transpose(1, 2);
}

}  // namespace

Tensor self_attention(const Tensor& qkv, std::int64_t heads, AttentionOptions options) {
  if (qkv.rank() != 3 || heads < 1 || qkv.dim(2) % (3 * heads) != 0) {
    throw ShapeError("self_attention: qkv {} wants [B, T, 3C] with C divisible by {} heads",
                     qkv.shape().str(), heads);
  }
  const std::int64_t width = qkv.dim(2) / 3;
  if (options.scale == 0.0) {
    options.scale = 1.0 / std::sqrt(static_cast<double>(width / heads));
  }
  Backend& backend = qkv.backend();
  const Tensor packed = qkv.contiguous();
  Tensor y = Tensor::empty(backend, {qkv.dim(0), qkv.dim(1), width}, qkv.dtype());
  const Tensor lse =
      Tensor::empty(backend, {qkv.dim(0), heads, qkv.dim(1)}, accumulator_of(qkv.dtype()));
  backend.attention(split_heads(y, heads), lse.view(), head_view(packed.view(), heads, 0),
                    head_view(packed.view(), heads, 1), head_view(packed.view(), heads, 2),
                    options);
  return record(
      "attention", y, {qkv},
      [heads, options, qkv = saved(packed), y = saved(y), lse = saved(lse)](const Tensor& dy) {
        const Tensor dqkv = Tensor::empty_like(*qkv);
        const View x = qkv->view();
        const View dx = dqkv.view();
        dy.backend().attention_grad(head_view(dx, heads, 0), head_view(dx, heads, 1),
                                    head_view(dx, heads, 2), split_heads(dy, heads),
                                    split_heads(*y, heads), lse->view(), head_view(x, heads, 0),
                                    head_view(x, heads, 1), head_view(x, heads, 2), options);
        return Grads{dqkv};
      });
}

}  // namespace ty
