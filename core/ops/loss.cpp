#include "core/ops/loss.h"

#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/shape.h"

namespace ty {

Tensor cross_entropy(const Tensor& logits, const Tensor& targets, const CrossEntropyTerms& terms) {
  if (logits.rank() != 2 || targets.shape() != Shape{logits.dim(0)} ||
      targets.dtype() != DType::i32) {
    throw ShapeError("cross_entropy: wants logits [N, V] and int32 targets [N], got {} and {} {}",
                     logits.shape().str(), name_of(targets.dtype()), targets.shape().str());
  }
  Backend& backend = logits.backend();
  const DType accumulator = accumulator_of(logits.dtype());
  const Tensor input = logits.contiguous();
  const Tensor loss = Tensor::empty(backend, {logits.dim(0)}, accumulator);
  const Tensor lse = Tensor::empty(backend, {logits.dim(0)}, accumulator);
  backend.cross_entropy(loss.view(), lse.view(), input.view(), targets.view(), {}, terms);
  return record("cross_entropy", reduce_to(loss, {1}), {logits},
                [logits = saved(input), lse = saved(lse), targets = saved(targets),
                 terms](const Tensor& dy) mutable {
                  const Tensor kept = logits.take();
                  Tensor dlogits = reuse_or_empty(kept);
                  dy.backend().cross_entropy_grad(dlogits.view(), kept.view(), lse->view(),
                                                  targets->view(), dy.view().expand({kept.dim(0)}),
                                                  {}, terms);
                  return Grads{dlogits};
                });
}

namespace {

// softmax(logits), from the gradient of a target that is spread over all V alike: p - 1 / V.
Tensor softmax_of(const Tensor& logits) {
  Backend& backend = logits.backend();
  const std::int64_t rows = logits.dim(0);
  const std::vector<std::int32_t> any(static_cast<std::size_t>(rows), 0);
  const Tensor targets = Tensor::from<std::int32_t>(backend, {rows}, any);
  const Tensor loss = Tensor::empty(backend, {rows}, logits.dtype());
  const Tensor lse = Tensor::empty_like(loss), p = Tensor::empty_like(logits);
  constexpr CrossEntropyTerms kSpread = {.label_smoothing = 1.0};
  backend.cross_entropy(loss.view(), lse.view(), logits.view(), targets.view(), {}, kSpread);
  const Tensor one = Tensor::full(backend, {1}, logits.dtype(), 1.0);
  backend.cross_entropy_grad(p.view(), logits.view(), lse.view(), targets.view(),
                             one.view().expand({rows}), {}, kSpread);
  return add(
      p, Tensor::full(backend, {1, 1}, logits.dtype(), 1.0 / static_cast<double>(logits.dim(1))));
}

// The logits of pairs, a and b [N, V], and what both losses' sums and their gradients are made of.
struct Pairs {
  Tensor p, q;   // softmax
  Tensor apart;  // a - b
};

Pairs pairs_of(const Tensor& logits) {
  const Tensor softmax = softmax_of(logits);
  return {every_second(softmax, 0), every_second(softmax, 1),
          sub(every_second(logits, 0), every_second(logits, 1))};
}

}  // namespace

// sum p (log p - log q) + q (log q - log p) = sum (p - q) (a - b), since the logarithms of both
// denominators meet a sum of p - q, which is 0. With d = a - b:
//
//   gradient of a:  p - q + p (d - sum p d)      of b:  q - p - q (d - sum q d)
Tensor divergence_of_pairs(const Tensor& logits) {
  if (logits.rank() != 2 || logits.dim(0) % 2 != 0) {
    throw ShapeError("divergence_of_pairs: wants logits [2 N, V], got {}", logits.shape().str());
  }
  Tensor wide, total;
  {
    const NoGrad no_grad;
    wide = logits.detach().to(accumulator_of(logits.dtype())).contiguous();
    const Pairs pairs = pairs_of(wide);
    total = sum(mul(sub(pairs.p, pairs.q), pairs.apart));
  }
  return record("divergence_of_pairs", total, {logits},
                [logits = saved(wide), dtype = logits.dtype()](const Tensor& dy) {
                  const Pairs pairs = pairs_of(*logits);
                  const Tensor difference = sub(pairs.p, pairs.q);
                  const auto from_mean = [&](const Tensor& p) {
                    return mul(p, sub(pairs.apart, reduce_to(mul(p, pairs.apart), {p.dim(0), 1})));
                  };
                  const Tensor da = add(difference, from_mean(pairs.p));
                  const Tensor db = scale(add(difference, from_mean(pairs.q)), -1.0);
                  return Grads{mul(interleave(da, db), dy).to(dtype)};
                });
}

}  // namespace ty
