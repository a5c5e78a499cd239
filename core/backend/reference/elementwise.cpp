#include <vector>

#include "core/backend/formulas.h"
#include "core/backend/reference/indexing.h"
#include "core/backend/reference/reference_backend.h"
#include "core/base/error.h"
#include "core/base/host_copy.h"

namespace ty {

using reference::for_each;
using reference::load;
using reference::store;

void ReferenceBackend::copy(const View& y, const View& x) { host_copy(x, y); }

void ReferenceBackend::fill(const View& y, double value) {
  for_each<1>(y.shape, {&y}, [&](auto, auto& at) { reference::store_any(y, at[0], value); });
}

void ReferenceBackend::axpby(const View& y, double alpha, const View& x, double beta) {
  const bool wide = y.dtype == DType::f64 || x.dtype == DType::f64;
  for_each<2>(y.shape, {&y, &x}, [&](auto, auto& at) {
    const double xv = reference::load_any(x, at[1]);
    const double yv = beta == 0.0 ? 0.0 : reference::load_any(y, at[0]);
    const double sum =
        wide ? alpha * xv + beta * yv
             : static_cast<double>(static_cast<float>(alpha) * static_cast<float>(xv) +
                                   static_cast<float>(beta) * static_cast<float>(yv));
    reference::store_any(y, at[0], sum);
  });
}

void ReferenceBackend::unary(UnaryOp op, const View& y, const View& x) {
  dispatch_float(y.dtype, "unary", [&](auto t) {
    using T = decltype(t);
    using A = accumulator_t<T>;
    for_each<2>(y.shape, {&y, &x}, [&](auto, auto& at) {
      store(y.as<T>() + at[0], formulas::unary(op, load<A>(x.as<T>() + at[1])));
    });
  });
}

void ReferenceBackend::unary_grad(UnaryOp op, const View& dx, const View& x, const View& dy) {
  dispatch_float(dx.dtype, "unary_grad", [&](auto t) {
    using T = decltype(t);
    using A = accumulator_t<T>;
    for_each<3>(dx.shape, {&dx, &x, &dy}, [&](auto, auto& at) {
      const A slope = formulas::unary_derivative(op, load<A>(x.as<T>() + at[1]));
      store(dx.as<T>() + at[0], slope * load<A>(dy.as<T>() + at[2]));
    });
  });
}

void ReferenceBackend::binary(BinaryOp op, const View& y, const View& a, const View& b) {
  const View left = a.expand(y.shape);
  const View right = b.expand(y.shape);
  dispatch_float(y.dtype, "binary", [&](auto t) {
    using T = decltype(t);
    using A = accumulator_t<T>;
    for_each<3>(y.shape, {&y, &left, &right}, [&](auto, auto& at) {
      store(y.as<T>() + at[0],
            formulas::binary(op, load<A>(left.as<T>() + at[1]), load<A>(right.as<T>() + at[2])));
    });
  });
}

void ReferenceBackend::reduce_sum(const View& y, const View& x, double beta) {
  // Sums are taken in double: this is the oracle.
  View target = y;
  std::vector<double> sums(static_cast<std::size_t>(y.numel()), 0.0);
  View flat = contiguous_view(sums.data(), DType::f64, y.shape).expand(y.shape);
  for (int d = 0; d < y.rank(); ++d) {
    if (y.shape[d] == 1) flat.strides[d] = 0;
  }
  for_each<2>(x.shape, {&flat, &x}, [&](auto, auto& at) {
    sums[static_cast<std::size_t>(at[0])] += reference::load_any(x, at[1]);
  });
  for_each<1>(y.shape, {&target}, [&](std::int64_t i, auto& at) {
    const double before = beta == 0.0 ? 0.0 : beta * reference::load_any(y, at[0]);
    reference::store_any(y, at[0], before + sums[static_cast<std::size_t>(i)]);
  });
}

void ReferenceBackend::dropout(const View& y, const View& x, const DropoutMask& mask) {
  const std::int64_t width = y.numel() / std::max<std::int64_t>(y.rank() > 0 ? y.shape[0] : 1, 1);
  dispatch_float(y.dtype, "dropout", [&](auto t) {
    using T = decltype(t);
    using A = accumulator_t<T>;
    for_each<2>(y.shape, {&y, &x}, [&](std::int64_t i, auto& at) {
      const A factor =
          formulas::dropout_factor<A>(mask, mask.words_of(i / width, width), i % width);
      store(y.as<T>() + at[0], factor == A(0) ? A(0) : factor * load<A>(x.as<T>() + at[1]));
    });
  });
}

void ReferenceBackend::random_normal(const View& y, const RandomStream& stream, std::int64_t first,
                                     std::int64_t row_step, double std) {
  for_each<1>(y.shape, {&y}, [&](std::int64_t i, auto& at) {
    const std::int64_t number = first + i / y.shape[1] * row_step + i % y.shape[1];
    reference::store_any(y, at[0], std * normal(stream, 0, static_cast<std::uint64_t>(number)));
  });
}

}  // namespace ty
