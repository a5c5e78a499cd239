#include "optim/product_decay.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "optim/factor_math.h"

namespace ty {

namespace {

// The elements of a factor, in order, as a matrix of so many rows.
Tensor as_matrix(const Tensor& f, std::int64_t rows) {
  return f.alias(f.view().reshape({rows, f.numel() / rows}));
}

// left f, for f [left, ..]; left undefined: f.
Tensor from_left(const Tensor& left, const Tensor& f) {
  if (!left.defined()) return f;
  return product_of(left.view(), as_matrix(f, left.dim(0)).view(), f.backend());
}

// f right, for f [.., right].
Tensor from_right(const Tensor& f, const Tensor& right) {
  if (!right.defined()) return f;
  return product_of(as_matrix(f, f.numel() / right.dim(0)).view(), right.view(), f.backend());
}

// Whether the dimension that ranks divide is one that neighbours sum over.
bool is_divided_along_rank(const Parameter& parameter) {
  const Slice& slice = parameter.placement.slice;
  const ChainPlace& place = parameter.init.chain;
  return (slice.dim == 0 && place.left > 1) ||
         (slice.dim == parameter.shape.rank() - 1 && place.right > 1);
}

bool is_divided(const Parameter& parameter) { return parameter.whole() != parameter.shape; }

}  // namespace

ProductDecay::ProductDecay(const ParameterStore& store, const Decays& decays, AddUp add_up)
    : store_(&store), add_up_(std::move(add_up)) {
  const auto& all = store.all();
  for (std::size_t first = 0, next = 0; first < all.size(); first = next) {
    Chain chain;
    bool is_wanted = false;
    for (next = first; next < all.size(); ++next) {
      const Parameter& each = all[next];
      if (!each.init.chain.is_in_chain()) break;
      if (each.init.chain.index != static_cast<int>(chain.size())) break;
      chain.push_back({next, each.init.chain, is_divided(each), {}, {}});
      is_wanted = is_wanted || decays(each);
    }
    next = std::max(next, first + 1);
    if (!is_wanted) continue;
    TY_CHECK(chain.front().place.left == 1 && chain.back().place.right == 1,
             "the chain of {} has an open end", all[first].name);
    for (const Factor& factor : chain) {
      const Parameter& parameter = all[factor.parameter];
      if (!factor.is_divided || !is_divided_along_rank(parameter)) continue;
      throw ConfigError(Key{"optim.product_decay"},
                        "tensor ranks divide the rank of {}, so that none can make its part; want "
                        "another layout of that layer, or optim.weight_decay",
                        parameter.name);
    }
    chains_.push_back(std::move(chain));
  }
}

Tensor ProductDecay::value_of(const Factor& factor) const {
  return wide_value_of(store_->all()[factor.parameter]);
}

Tensor ProductDecay::passed_right(const Factor& factor, const Tensor& f) const {
  const std::int64_t rows = f.numel() / factor.place.right;
  const Tensor left_f = from_left(factor.left, f);
  Tensor sum = product_of(as_matrix(f, rows).view().transpose(0, 1), as_matrix(left_f, rows).view(),
                          f.backend());
  if (factor.is_divided) add_up_(sum.view());
  return sum;
}

Tensor ProductDecay::passed_left(const Factor& factor, const Tensor& f) const {
  const std::int64_t rows = factor.place.left;
  const Tensor f_right = from_right(f, factor.right);
  Tensor sum = product_of(as_matrix(f_right, rows).view(),
                          as_matrix(f, rows).view().transpose(0, 1), f.backend());
  if (factor.is_divided) add_up_(sum.view());
  return sum;
}

void ProductDecay::begin_step() {
  for (Chain& chain : chains_) {
    for (std::size_t k = 0; k + 1 < chain.size(); ++k) {
      chain[k + 1].left = passed_right(chain[k], value_of(chain[k]));
    }
    for (std::size_t k = chain.size() - 1; k > 0; --k) {
      chain[k - 1].right = passed_left(chain[k], value_of(chain[k]));
    }
  }
}

Tensor ProductDecay::gradient(std::size_t parameter) const {
  for (const Chain& chain : chains_) {
    for (const Factor& factor : chain) {
      if (factor.parameter != parameter) continue;
      const Tensor made = from_right(from_left(factor.left, value_of(factor)), factor.right);
      return made.alias(made.view().reshape({made.numel()}));
    }
  }
  throw InternalError("{} is in no chain that decays", store_->all()[parameter].name);
}

void ProductDecay::end_step() {
  for (Chain& chain : chains_) {
    for (Factor& factor : chain) factor.left = factor.right = Tensor();
  }
}

}  // namespace ty
