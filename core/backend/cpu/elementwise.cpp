
#include <algorithm>
#include <numeric>
#include <tuple>
#include <vector>

#include "core/backend/cpu/cpu_backend.h"
#include "core/backend/cpu/lanes.h"
#include "core/backend/cpu/permute.h"
#include "core/backend/cpu/runs.h"
#include "core/backend/formulas.h"
#include "core/backend/scratch.h"

namespace ty {

using cpu::Runs;
using cpu::with_floats;

namespace {

template <std::size_t N, typename Fn>
void for_pieces(const Runs<N>& runs, Fn&& fn) {
  const std::int64_t count = runs.count();
#pragma omp parallel for schedule(static) if (count > 1)
  for (std::int64_t i = 0; i < count; ++i) runs.piece(i, fn);
}

bool is_half(DType dtype) { return dtype == DType::bf16 || dtype == DType::f16; }

// A view of y's shape without gaps, its axes in memory in the order of y's.
View packed_like(const View& y, void* data, DType dtype) {
  View result = contiguous_view(data, dtype, y.shape);
  std::vector<int> order(static_cast<std::size_t>(y.rank()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return y.strides[a] < y.strides[b]; });
  std::int64_t step = 1;
  for (const int d : order) {
    result.strides[d] = step;
    step *= y.shape[d];
  }
  return result;
}

// y = alpha x + beta y, none of them fp64, in float.
template <typename Y, typename X>
void axpby_run(Y* y, float alpha, const X* x, float beta, std::int64_t count) {
  for (std::int64_t first = 0; first < count; first += cpu::kLanes) {
    const std::int64_t n = std::min(cpu::kLanes, count - first);
    std::array<float, cpu::kLanes> left, right;
    const float* source = left.data();
    if constexpr (std::is_same_v<X, float>) {
      source = x + first;
    } else {
      spans::to_float(left.data(), x + first, n);
    }
    if constexpr (std::is_same_v<Y, float>) {
      spans::axpby(y + first, alpha, source, beta, n);
    } else {
      if (beta != 0.0f) spans::to_float(right.data(), y + first, n);
      spans::axpby(right.data(), alpha, source, beta, n);
      spans::from_float(y + first, right.data(), n);
    }
  }
}

}  // namespace

void CpuBackend::copy(const View& y, const View& x) {
  if (y.dtype == x.dtype) return cpu::permuting_copy(y, x);
  const Runs<2> runs({y, x});
  if (runs.step(0) == 1 && runs.step(1) == 1) {
    if (y.dtype == DType::f32 && is_half(x.dtype)) {
      return dispatch_float(x.dtype, "copy", [&](auto t) {
        using T = decltype(t);
        if constexpr (sizeof(T) == 2) {
          for_pieces(runs, [&](const auto& at, std::int64_t n) {
            spans::to_float(y.as<float>() + at[0], x.as<T>() + at[1], n);
          });
        }
      });
    }
    if (x.dtype == DType::f32 && is_half(y.dtype)) {
      return dispatch_float(y.dtype, "copy", [&](auto t) {
        using T = decltype(t);
        if constexpr (sizeof(T) == 2) {
          for_pieces(runs, [&](const auto& at, std::int64_t n) {
            spans::from_float(y.as<T>() + at[0], x.as<float>() + at[1], n);
          });
        }
      });
    }
  }
  const bool floats =
      (y.dtype == DType::f32 && is_half(x.dtype)) || (x.dtype == DType::f32 && is_half(y.dtype));
  if (!floats) return reference_.copy(y, x);
  // Two types and two orders of axes: first the order, in y's, then the type.
  const Scratch scratch(memory_, static_cast<std::int64_t>(x.bytes()));
  const View ordered = packed_like(y, scratch.data(), x.dtype);
  const Runs<2> straight({y, ordered});
  if (straight.step(0) != 1 || straight.step(1) != 1) return reference_.copy(y, x);
  cpu::permuting_copy(ordered, x);
  copy(y, ordered);
}

void CpuBackend::fill(const View& y, double value) {
  const Runs<1> runs({y});
  if (!runs.simple()) return reference_.fill(y, value);
  dispatch_dtype(y.dtype, [&](auto t) {
    using T = decltype(t);
    T element{};
    if constexpr (sizeof(T) == 2) {
      element = T(static_cast<float>(value));
    } else {
      element = static_cast<T>(value);
    }
    for_pieces(runs,
               [&](const auto& at, std::int64_t n) { std::fill_n(y.as<T>() + at[0], n, element); });
  });
}

void CpuBackend::axpby(const View& y, double alpha, const View& x, double beta) {
  const Runs<2> runs({y, x});
  const bool straight = runs.step(0) == 1 && runs.step(1) == 1;
  if (straight && y.dtype == DType::f64 && x.dtype == DType::f64) {
    return for_pieces(runs, [&](const auto& at, std::int64_t n) {
      double* out = y.as<double>() + at[0];
      const double* in = x.as<double>() + at[1];
      for (std::int64_t i = 0; i < n; ++i)
        out[i] = alpha * in[i] + (beta == 0.0 ? 0.0 : beta * out[i]);
    });
  }
  if (!straight || y.dtype == DType::f64 || x.dtype == DType::f64) {
    return reference_.axpby(y, alpha, x, beta);
  }
  const auto a = static_cast<float>(alpha);
  const auto b = static_cast<float>(beta);
  dispatch_float(y.dtype, "axpby", [&](auto ty) {
    dispatch_float(x.dtype, "axpby", [&](auto tx) {
      using Y = decltype(ty);
      using X = decltype(tx);
      if constexpr (!std::is_same_v<Y, double> && !std::is_same_v<X, double>) {
        for_pieces(runs, [&](const auto& at, std::int64_t count) {
          axpby_run(y.as<Y>() + at[0], a, x.as<X>() + at[1], b, count);
        });
      }
    });
  });
}

void CpuBackend::unary(UnaryOp op, const View& y, const View& x) {
  const Runs<2> runs({y, x});
  if (runs.step(0) != 1 || runs.step(1) != 1) return reference_.unary(op, y, x);
  dispatch_float(y.dtype, "unary", [&](auto t) {
    using T = decltype(t);
    for_pieces(runs, [&](const auto& at, std::int64_t n) {
      T* out = y.as<T>() + at[0];
      const T* in = x.as<T>() + at[1];
      if constexpr (std::is_same_v<T, double>) {
        for (std::int64_t i = 0; i < n; ++i) out[i] = formulas::unary(op, in[i]);
      } else {
        with_floats(
            out, n, [&](float* o, std::int64_t k, const float* a) { spans::unary(op, o, a, k); },
            in);
      }
    });
  });
}

void CpuBackend::unary_grad(UnaryOp op, const View& dx, const View& x, const View& dy) {
  const Runs<3> runs({dx, x, dy});
  if (runs.step(0) != 1 || runs.step(1) != 1 || runs.step(2) != 1) {
    return reference_.unary_grad(op, dx, x, dy);
  }
  dispatch_float(dx.dtype, "unary_grad", [&](auto t) {
    using T = decltype(t);
    for_pieces(runs, [&](const auto& at, std::int64_t n) {
      T* out = dx.as<T>() + at[0];
      const T* in = x.as<T>() + at[1];
      const T* slope = dy.as<T>() + at[2];
      if constexpr (std::is_same_v<T, double>) {
        for (std::int64_t i = 0; i < n; ++i)
          out[i] = slope[i] * formulas::unary_derivative(op, in[i]);
      } else {
        with_floats(
            out, n,
            [&](float* o, std::int64_t k, const float* a, const float* g) {
              spans::unary_grad(op, o, a, g, k);
            },
            in, slope);
      }
    });
  });
}

void CpuBackend::binary(BinaryOp op, const View& y, const View& a, const View& b) {
  const Runs<3> runs({y, a.expand(y.shape), b.expand(y.shape)});
  const bool commutes = op == BinaryOp::add || op == BinaryOp::mul;
  const bool right_varies = runs.step(1) == 0 && runs.step(2) == 1;
  if (!runs.simple() || (right_varies && !commutes)) return reference_.binary(op, y, a, b);
  dispatch_float(y.dtype, "binary", [&](auto t) {
    using T = decltype(t);
    for_pieces(runs, [&](const auto& at, std::int64_t n) {
      T* out = y.as<T>() + at[0];
      const T* left = a.as<T>() + at[1];
      const T* right = b.as<T>() + at[2];
      auto left_step = runs.step(1), right_step = runs.step(2);
      if (left_step == 0 && right_step == 1) {  // the repeated operand goes right
        std::swap(left, right);
        std::swap(left_step, right_step);
      }
      if constexpr (std::is_same_v<T, float>) {
        if (left_step == 1) {
          return spans::binary(op, out, left, right, n, static_cast<int>(right_step));
        }
      }
      if constexpr (sizeof(T) == 2) {
        if (left_step == 1 && right_step == 1) {
          return with_floats(
              out, n,
              [&](float* o, std::int64_t k, const float* l, const float* r) {
                spans::binary(op, o, l, r, k, 1);
              },
              left, right);
        }
      }
      using A = accumulator_t<T>;
      for (std::int64_t i = 0; i < n; ++i) {
        out[i] = static_cast<T>(formulas::binary(op, static_cast<A>(left[i * left_step]),
                                                 static_cast<A>(right[i * right_step])));
      }
    });
  });
}

}  // namespace ty
