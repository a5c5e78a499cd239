// Functions of elements for map(): one struct each, its options as members.
#pragma once

#include "core/backend/cuda/kernel/pack.h"
#include "core/backend/formulas.h"

namespace ty::cuda::kernel {

template <typename C>
struct Convert {
  using Compute = C;
  template <int V, typename B>
  TY_DEVICE void operator()(std::int64_t, Pack<C, V>& y, const Pack<C, V>& x, const B&) const {
    y = x;
  }
};

template <typename C>
struct Fill {
  using Compute = C;
  C value;
  template <int V, typename A, typename B>
  TY_DEVICE void operator()(std::int64_t, Pack<C, V>& y, const A&, const B&) const {
    TY_UNROLL for (int i = 0; i < V; ++i) y[i] = value;
  }
};

// alpha x + beta old; old is not looked at when beta is 0.
template <typename C>
struct Axpby {
  using Compute = C;
  C alpha, beta;
  template <int V>
  TY_DEVICE void operator()(std::int64_t, Pack<C, V>& y, const Pack<C, V>& x,
                            const Pack<C, V>& old) const {
    TY_UNROLL for (int i = 0; i < V; ++i) y[i] =
        alpha * x[i] + (beta == C(0) ? C(0) : beta * old[i]);
  }
};

// Calls fn with the kind as a constant, so that what is done with it has no branches inside.
template <typename Fn>
TY_DEVICE void with_constant(UnaryOp op, Fn&& fn) {
  switch (op) {
    case UnaryOp::relu:
      return fn(std::integral_constant<UnaryOp, UnaryOp::relu>{});
    case UnaryOp::gelu_tanh:
      return fn(std::integral_constant<UnaryOp, UnaryOp::gelu_tanh>{});
    case UnaryOp::gelu_erf:
      return fn(std::integral_constant<UnaryOp, UnaryOp::gelu_erf>{});
    case UnaryOp::silu:
      return fn(std::integral_constant<UnaryOp, UnaryOp::silu>{});
    case UnaryOp::quick_gelu:
      return fn(std::integral_constant<UnaryOp, UnaryOp::quick_gelu>{});
    case UnaryOp::tanh:
      break;
  }
  fn(std::integral_constant<UnaryOp, UnaryOp::tanh>{});
}

template <typename C>
struct Unary {
  using Compute = C;
  UnaryOp op;
  template <int V, typename B>
  TY_DEVICE void operator()(std::int64_t, Pack<C, V>& y, const Pack<C, V>& x, const B&) const {
    with_constant(op, [&](auto kind) {
      TY_UNROLL for (int i = 0; i < V; ++i) y[i] = formulas::unary(decltype(kind)::value, x[i]);
    });
  }
};

template <typename C>
struct UnaryGrad {
  using Compute = C;
  UnaryOp op;
  template <int V>
  TY_DEVICE void operator()(std::int64_t, Pack<C, V>& dx, const Pack<C, V>& x,
                            const Pack<C, V>& dy) const {
    with_constant(op, [&](auto kind) {
      TY_UNROLL for (int i = 0; i < V; ++i) {
        dx[i] = formulas::unary_derivative(decltype(kind)::value, x[i]) * dy[i];
      }
    });
  }
};

template <typename C>
struct Binary {
  using Compute = C;
  BinaryOp op;
  template <int V>
  TY_DEVICE void operator()(std::int64_t, Pack<C, V>& y, const Pack<C, V>& a,
                            const Pack<C, V>& b) const {
    TY_UNROLL for (int i = 0; i < V; ++i) y[i] = formulas::binary(op, a[i], b[i]);
  }
};

}  // namespace ty::cuda::kernel
