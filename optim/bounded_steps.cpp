#include "optim/bounded_steps.h"

#include "core/base/error.h"
#include "optim/factor_math.h"

namespace ty {

namespace {

constexpr int kIterations = 5;
constexpr double kLinear = 3.4445, kCubic = -4.7750, kQuintic = 2.0315;
constexpr int kSquarings = 2;    // of the Gram matrix
constexpr double kPower = 16.0;  // of singular values, that its sum of squares then adds up
constexpr double kTiny = 1e-30;  // a momentum of zeros stays zero

// x x^T of the shorter side.
Tensor gram(const View& x, Backend& backend) {
  const View wide = x.shape[0] <= x.shape[1] ? x : x.transpose(0, 1);
  return product_of(wide, wide.transpose(0, 1), backend);
}

// x <- its nearest matrix with equal singular values, about: x (a + b G + c G^2) for G = x^T x or,
// where x is wide, the same from the left with x x^T.
Tensor orthogonalised(Tensor x) {
  Backend& backend = x.backend();
  const Tensor squares = Tensor::empty(backend, {1}, DType::f64, MemoryClass::workspace);
  backend.sum_squares(squares.view(), x.view());
  backend.divide_by_norms(x.view(), squares.view(), 2.0, kTiny);
  for (int i = 0; i < kIterations; ++i) {
    const Tensor g = gram(x.view(), backend);
    const Tensor p = Tensor::empty_like(g);  // b G + c G^2
    backend.copy(p.view(), g.view());
    backend.gemm(p.view(), g.view(), g.view(), {.alpha = kQuintic, .beta = kCubic});
    const Tensor next = Tensor::empty_like(x);
    backend.copy(next.view(), x.view());
    const bool is_wide = x.dim(0) <= x.dim(1);
    backend.gemm(next.view(), is_wide ? p.view() : x.view(), is_wide ? x.view() : p.view(),
                 {.beta = kLinear});
    x = next;
  }
  return x;
}

}  // namespace

bool is_factor_of_pair(const Parameter& parameter) {
  const ChainPlace& place = parameter.init.chain;
  return place.is_in_chain() && parameter.shape.rank() == 2 &&
         (place.index == 0 || (place.index == 1 && place.right == 1));
}

BoundedSteps::BoundedSteps(const ParameterStore& store, const IsBounded& is_bounded)
    : store_(&store) {
  const auto& all = store.all();
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    if (!is_factor_of_pair(all[i]) || all[i].init.chain.index != 0) continue;
    if (!is_bounded(all[i]) && !is_bounded(all[i + 1])) continue;
    TY_CHECK(is_factor_of_pair(all[i + 1]) && all[i + 1].init.chain.index == 1,
             "{} has no second factor", all[i].name);
    firsts_.push_back(i);
  }
  if (firsts_.empty()) return;
  powers_ = Tensor::empty(all[firsts_.front()].value.backend(),
                          {static_cast<std::int64_t>(firsts_.size()), 2}, DType::f64,
                          MemoryClass::workspace);
}

std::size_t BoundedSteps::pair_of(std::size_t parameter) const {
  for (std::size_t pair = 0; pair < firsts_.size(); ++pair) {
    if (firsts_[pair] == parameter || firsts_[pair] + 1 == parameter) return pair;
  }
  throw InternalError("{} is in no pair with bounded steps", store_->all()[parameter].name);
}

void BoundedSteps::begin_step() {
  for (std::size_t pair = 0; pair < firsts_.size(); ++pair) {
    const View powers = powers_.view().slice(0, static_cast<std::int64_t>(pair), 1).reshape({2});
    for (std::size_t factor = 0; factor < 2; ++factor) {
      const Tensor value = wide_value_of(store_->all()[firsts_[pair] + factor]);
      Tensor g = gram(value.view(), value.backend());
      for (int i = 0; i < kSquarings; ++i) g = product_of(g.view(), g.view(), g.backend());
      g.backend().sum_squares(powers.slice(0, static_cast<std::int64_t>(factor), 1), g.view());
    }
  }
}

Tensor BoundedSteps::direction(std::size_t parameter, const View& momentum) const {
  const Parameter& factor = store_->all()[parameter];
  Backend& backend = factor.value.backend();
  const Tensor start = Tensor::empty(backend, factor.shape, momentum.dtype, MemoryClass::workspace);
  backend.copy(start.view(), momentum.reshape(factor.shape));
  const Tensor result = orthogonalised(start);
  const auto pair = static_cast<std::int64_t>(pair_of(parameter));
  backend.divide_by_norms(result.view(), powers_.view().slice(0, pair, 1).reshape({2}), kPower,
                          1.0);
  return result;
}

}  // namespace ty
