#include "core/backend/formulas.h"
#include "core/backend/reference/indexing.h"
#include "core/backend/reference/reference_backend.h"
#include "core/base/error.h"

namespace ty {

using reference::load_any;
using reference::store_any;

void ReferenceBackend::sum_squares(const View& y, const View& x) {
  double sum = 0;
  reference::for_each<1>(x.shape, {&x}, [&](auto, auto& at) {
    const double value = load_any(x, at[0]);
    sum += value * value;
  });
  y.as<double>()[0] = sum;
}

void ReferenceBackend::limit_norm(const View& y, const View& squares, double limit) {
  const double factor = formulas::within_norm(squares.as<const double>()[0], limit);
  if (factor < 1.0) axpby(y, factor, y, 0.0);
}

void ReferenceBackend::divide_by_norms(const View& y, const View& squares, double root,
                                       double offset) {
  const double norms =
      formulas::sum_of_norms(squares.as<const double>(), squares.numel(), root, offset);
  axpby(y, 1.0 / norms, y, 0.0);
}

void ReferenceBackend::round_stochastic(const View& y, const View& x, const RandomStream& stream,
                                        std::int64_t first) {
  dispatch_float(y.dtype, "round_stochastic", [&](auto t) {
    using T = decltype(t);
    if constexpr (sizeof(T) == 2) {
      for (std::int64_t i = 0; i < y.numel(); ++i) {
        const std::uint32_t word = stream.word(0, static_cast<std::uint64_t>(first + i));
        y.as<T>()[i] = formulas::round_stochastic<T>(x.as<float>()[i], uniform_float(word));
      }
    } else {
      TY_CHECK(false, "{} is not rounded to", name_of(y.dtype));
    }
  });
}

void ReferenceBackend::adamw(const View& w, const View& m, const View& v, const View& low,
                             const View& gradient, const AdamW& options) {
  const formulas::AdamWStep step(options);
  dispatch_float(w.dtype, "adamw", [&](auto t) {
    using T = decltype(t);
    if constexpr (sizeof(T) >= 4) {
      for (std::int64_t i = 0; i < w.numel(); ++i) {
        formulas::adamw(w.as<T>()[i], m.as<T>()[i], v.as<T>()[i],
                        static_cast<T>(load_any(gradient, i)), options, step);
      }
    } else {
      TY_CHECK(false, "adamw wants fp32 or fp64 weights, got {}", name_of(w.dtype));
    }
  });
  if (low.data != nullptr) copy(low, w);
}

void ReferenceBackend::sgd(const View& w, const View& v, const View& low, const View& gradient,
                           const Sgd& options) {
  for (std::int64_t i = 0; i < w.numel(); ++i) {
    double step =
        load_any(gradient, i) * options.gradient_scale + options.weight_decay * load_any(w, i);
    if (v.data != nullptr) {
      step += options.momentum * load_any(v, i);
      store_any(v, i, step);
    }
    store_any(w, i, load_any(w, i) - options.lr * step);
  }
  if (low.data != nullptr) copy(low, w);
}

}  // namespace ty
