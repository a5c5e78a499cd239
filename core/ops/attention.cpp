#include "core/ops/attention.h"

#include <cmath>
#include <utility>

#include "core/autograd/replay.h"
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

// What the kernel reads: queries, keys and values, each [B, H, T, D].
struct Heads {
  View q, k, v;
};

// [B, T, H, D] as [B, H, T, D], and [B, T, C] likewise.
View by_heads(const View& x) { return x.transpose(1, 2); }
View by_heads(const View& x, std::int64_t heads) {
  return by_heads(
      contiguous_view(x.data, x.dtype, {x.shape[0], x.shape[1], heads, x.shape[2] / heads}));
}

Heads split(const View& qkv, std::int64_t heads) {
  return {head_view(qkv, heads, 0), head_view(qkv, heads, 1), head_view(qkv, heads, 2)};
}

// Options with what they leave open filled in, for heads of this width.
AttentionOptions completed(AttentionOptions options, std::int64_t width, std::int64_t batch,
                           const Tensor& lengths) {
  if (options.scale == 0.0) options.scale = 1.0 / std::sqrt(static_cast<double>(width));
  TY_CHECK(options.dropout.rows_per_sample == 1, "batch entries are samples, not {} rows of one",
           options.dropout.rows_per_sample);
  options.lengths = {};
  if (!lengths.defined()) return options;
  if (lengths.dtype() != DType::i32 || lengths.shape() != Shape{batch}) {
    throw ShapeError("attention: wants int32 lengths [{}], one per batch entry, got {} {}", batch,
                     name_of(lengths.dtype()), lengths.shape().str());
  }
  options.lengths = lengths.view();
  return options;
}

SavedTensor kept(const Tensor& lengths) {
  return lengths.defined() ? saved(lengths) : SavedTensor();
}

// Runs the kernel into y [B, H, Tq, D]; the result is lse [B, H, Tq].
Tensor forward(Backend& backend, const View& y, const Heads& in, const AttentionOptions& options) {
  const Tensor lse =
      Tensor::empty(backend, {y.shape[0], y.shape[1], y.shape[2]}, accumulator_of(y.dtype));
  backend.attention(y, lse.view(), in.q, in.k, in.v, options);
  return lse;
}

// Both are dear, and made at once.
template <typename Make>
std::pair<Tensor, Tensor> kept_results(const Make& make) {
  Tensor second;
  const Tensor first = dear([&] {
    auto [y, lse] = make();
    second = lse;
    return y;
  });
  return {first, dear([&] { return second; })};
}

}  // namespace

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, AttentionOptions options,
                 const Tensor& lengths) {
  const bool fit = q.rank() == 4 && k.rank() == 4 && k.shape() == v.shape() &&
                   q.dim(0) == k.dim(0) && q.dim(2) == k.dim(2) && q.dim(3) == k.dim(3) &&
                   q.dtype() == k.dtype() && q.dtype() == v.dtype();
  if (!fit) {
    throw ShapeError(
        "attention: wants q [B, Tq, H, D] and k, v [B, Tk, H, D] of one dtype, got {} {}, {} {} "
        "and {} {}",
        name_of(q.dtype()), q.shape().str(), name_of(k.dtype()), k.shape().str(),
        name_of(v.dtype()), v.shape().str());
  }
  options = completed(options, q.dim(3), q.dim(0), lengths);
  const Tensor pq = q.contiguous(), pk = k.contiguous(), pv = v.contiguous();
  const auto heads = [](const Tensor& a, const Tensor& b, const Tensor& c) {
    return Heads{by_heads(a.view()), by_heads(b.view()), by_heads(c.view())};
  };
  const auto [y, lse] = kept_results([&] {
    const Tensor made = Tensor::empty_like(pq);
    return std::pair(made, forward(q.backend(), by_heads(made.view()), heads(pq, pk, pv), options));
  });
  return record("attention", y, {q, k, v},
                [=, q = saved(pq), k = saved(pk), v = saved(pv), y = saved(y), lse = saved(lse),
                 lengths = kept(lengths)](const Tensor& dy) {
                  const Tensor dq = Tensor::empty_like(*q), dk = Tensor::empty_like(*k),
                               dv = Tensor::empty_like(*v);
                  const Heads in = heads(*q, *k, *v), out = heads(dq, dk, dv);
                  dy.backend().attention_grad(out.q, out.k, out.v, by_heads(dy.view()),
                                              by_heads(y->view()), lse->view(), in.q, in.k, in.v,
                                              options);
                  return Grads{dq, dk, dv};
                });
}

Tensor self_attention(const Tensor& qkv, std::int64_t heads, AttentionOptions options,
                      const Tensor& lengths) {
  if (qkv.rank() != 3 || heads < 1 || qkv.dim(2) % (3 * heads) != 0) {
    throw ShapeError("self_attention: qkv {} wants [B, T, 3C] with C divisible by {} heads",
                     qkv.shape().str(), heads);
  }
  const std::int64_t width = qkv.dim(2) / 3;
  options = completed(options, width / heads, qkv.dim(0), lengths);
  const Tensor packed = qkv.contiguous();
  const auto [y, lse] = kept_results([&] {
    const Tensor made = Tensor::empty(qkv.backend(), {qkv.dim(0), qkv.dim(1), width}, qkv.dtype());
    return std::pair(made, forward(qkv.backend(), by_heads(made.view(), heads),
                                   split(packed.view(), heads), options));
  });
  return record("attention", y, {qkv},
                [=, qkv = saved(packed), y = saved(y), lse = saved(lse),
                 lengths = kept(lengths)](const Tensor& dy) {
                  const Tensor dqkv = Tensor::empty_like(*qkv);
                  const Heads in = split(qkv->view(), heads), out = split(dqkv.view(), heads);
                  dy.backend().attention_grad(out.q, out.k, out.v, by_heads(dy.view(), heads),
                                              by_heads(y->view(), heads), lse->view(), in.q, in.k,
                                              in.v, options);
                  return Grads{dqkv};
                });
}

Tensor attention_of_heads(const Tensor& q, const Tensor& k, const Tensor& v,
                          AttentionOptions options, const Tensor& lengths) {
  const bool fit = q.rank() == 4 && k.rank() == 4 && k.shape() == v.shape() &&
                   q.dim(0) == k.dim(0) && q.dim(1) == k.dim(1) && q.dim(3) == k.dim(3);
  if (!fit) {
    throw ShapeError("attention: wants q [B, H, Tq, D] and k, v [B, H, Tk, D], got {}, {} and {}",
                     q.shape().str(), k.shape().str(), v.shape().str());
  }
  options = completed(options, q.dim(3), q.dim(0), lengths);
  const Tensor y = Tensor::empty(q.backend(), {q.dim(0), q.dim(2), q.dim(1) * q.dim(3)}, q.dtype());
  forward(q.backend(), by_heads(y.view(), q.dim(1)), {q.view(), k.view(), v.view()}, options);
  return y;
}

}  // namespace ty
