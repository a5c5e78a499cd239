#include "core/backend/cuda/device/mapping.h"
#include "core/backend/cuda/kernel/pointwise.h"

namespace ty::cuda {

using kernel::Nothing;

void CudaBackend::axpby(const View& y, double alpha, const View& x, double beta) {
  kernel::dispatch(y.dtype, "axpby", [&](auto to) {
    kernel::dispatch(x.dtype, "axpby", [&](auto from) {
      using Y = decltype(to);
      using X = decltype(from);
      using C = kernel::Wider<X, Y>;
      const kernel::Axpby<C> f{static_cast<C>(alpha), static_cast<C>(beta)};
      map<kernel::Axpby<C>, Y, X, Y>("axpby", f, y, &x, &y);
    });
  });
}

void CudaBackend::unary(UnaryOp op, const View& y, const View& x) {
  kernel::dispatch(y.dtype, "unary", [&](auto t) {
    using T = decltype(t);
    using F = kernel::Unary<kernel::Accumulator<T>>;
    map<F, T, T, Nothing>("unary", {op}, y, &x, nullptr);
  });
}

void CudaBackend::unary_grad(UnaryOp op, const View& dx, const View& x, const View& dy) {
  kernel::dispatch(dx.dtype, "unary_grad", [&](auto t) {
    using T = decltype(t);
    using F = kernel::UnaryGrad<kernel::Accumulator<T>>;
    map<F, T, T, T>("unary_grad", {op}, dx, &x, &dy);
  });
}

void CudaBackend::binary(BinaryOp op, const View& y, const View& a, const View& b) {
  const View left = a.expand(y.shape), right = b.expand(y.shape);
  kernel::dispatch(y.dtype, "binary", [&](auto t) {
    using T = decltype(t);
    using F = kernel::Binary<kernel::Accumulator<T>>;
    map<F, T, T, T>("binary", {op}, y, &left, &right);
  });
}

}  // namespace ty::cuda
