#include "core/ops/select.h"

#include "core/base/error.h"
#include "core/ops/elementwise.h"

namespace ty {

Tensor keep_largest(const Tensor& w, const Tensor& scores, std::int64_t kept) {
  if (w.shape() != scores.shape()) {
    throw ShapeError("keep_largest: w {} and scores {} do not fit", w.shape().str(),
                     scores.shape().str());
  }
  const Tensor weights = w.contiguous();
  const Tensor y = Tensor::empty_like(weights);
  w.backend().keep_largest(y.view(), weights.view(), scores.contiguous().view(), kept);
  return record("keep_largest", y, {w, scores}, [w = saved(weights)](const Tensor& dy) {
    return Grads{dy, mul(dy, *w)};
  });
}

}  // namespace ty
