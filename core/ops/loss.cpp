#include "core/ops/loss.h"

#include "core/base/error.h"
#include "core/ops/elementwise.h"

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

}  // namespace ty
