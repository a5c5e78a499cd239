#include "models/linear/ttm_weight.h"

#include <array>

namespace ty {

namespace {

Unfolding transposed(const View& matrix) { return {matrix.transpose(0, 1), 1}; }

// [I_1, J, A_rest, R] as a matrix with the bond as its columns, or its rows.
Unfolding bond_last(const View& a) { return {a, 3}; }
Unfolding bond_first(const View& a) {
  const std::array order = {3, 0, 1, 2};
  return {a.permute(order), 1};
}

}  // namespace

TtmWeight::TtmWeight(std::span<const Tensor> cores, int split, Backend& backend, DType dtype)
    : left_(cores.first(static_cast<std::size_t>(split)), backend, dtype),
      right_(cores.subspan(static_cast<std::size_t>(split)), backend, dtype),
      blocks_(cores[0].dim(2)),
      block_(left_.out() / blocks_ * right_.out()),
      backend_(&backend) {
  const std::int64_t i = cores[0].dim(1), bond = left_.right();
  const Tensor a = left_.merged(), b = right_.merged();
  a_ = a.alias(a.view().reshape({i, blocks_, a.numel() / (i * blocks_ * bond), bond}));
  b_ = b.alias(b.view().reshape({bond, b.numel() / bond}));
}

View TtmWeight::blocks_of_a(std::int64_t first, std::int64_t count) const {
  return a_.view().slice(1, first, count);
}

Unfolding TtmWeight::digits(const View& w) const {
  View x = w;
  x.shape = {};
  x.strides = {};
  std::int64_t in_step = in(), out_step = out();
  const auto add = [&](const Tensor& core) {
    x.shape.push_back(core.dim(1));
    x.strides.push_back((in_step /= core.dim(1)) * w.strides[0]);
    x.shape.push_back(core.dim(2));
    x.strides.push_back(out_step /= core.dim(2));
  };
  for (const Tensor& core : left_.cores()) add(core);
  const int rows = x.rank();
  for (const Tensor& core : right_.cores()) add(core);
  x.shape[1] = w.shape[1] / block_;
  return {x, rows};
}

void TtmWeight::build(std::int64_t first, std::int64_t count, const View& w) const {
  backend_->contract(digits(w), bond_last(blocks_of_a(first, count)), {b_.view(), 1}, 0.0);
}

void TtmWeight::project(std::int64_t first, std::int64_t count, const View& dw) {
  const Unfolding d = digits(dw);
  const View a = blocks_of_a(first, count);
  if (a_.numel() < b_.numel() && count == blocks_) {
    da_ = Tensor::empty_like(a_);
    db_ = b_;
    backend_->contract(bond_last(da_.view()), d, transposed(b_.view()), 0.0);
    backend_->contract({b_.view(), 1}, bond_first(a), d, 0.0);
    return;
  }
  const double beta = db_.defined() ? 1.0 : 0.0;
  if (!db_.defined()) db_ = Tensor::empty_like(b_);
  da_ = a_;
  backend_->contract({db_.view(), 1}, bond_first(a), d, beta);
  backend_->contract(bond_last(a), d, transposed(b_.view()), 0.0);
}

std::vector<Gradient> TtmWeight::gradients() const {
  std::vector<Gradient> result = left_.gradients(da_);
  for (Gradient& gradient : right_.gradients(db_)) result.push_back(std::move(gradient));
  return result;
}

}  // namespace ty
