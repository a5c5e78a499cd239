#include "models/linear/ttm_weight.h"

namespace ty {

using Layout = MergedCores::Layout;

TtmWeight::TtmWeight(std::span<const Tensor> cores, int split, Backend& backend, DType dtype)
    : left_(cores.first(static_cast<std::size_t>(split)), backend, dtype),
      right_(cores.subspan(static_cast<std::size_t>(split)), backend, dtype),
      in_(left_.in() * right_.in()),
      blocks_(left_.first_out()),
      block_(left_.out() / blocks_ * right_.out()),
      backend_(&backend),
      dtype_(dtype) {
  const Tensor a = left_.arranged(Layout::columns_first);
  const Tensor b = right_.arranged(Layout::bond_first);
  const std::int64_t bond = left_.right();
  a_ = a.alias(a.view().reshape({blocks_, a.numel() / (blocks_ * bond), bond}));
  b_ = b.alias(b.view().reshape({bond, b.numel() / bond}));
}

View TtmWeight::rows_of(const Tensor& a, std::int64_t b) const { return a.view()[b]; }

View TtmWeight::digits(const View& w, std::int64_t b) const {
  const std::int64_t rest = left_.out() / blocks_;
  View columns = w.slice(1, b * block_, block_);
  // [I_A I_B, J_A' J_B] -> [I_A, I_B, J_A', J_B] -> [I_A, J_A', I_B, J_B]
  const std::int64_t row = w.strides[0];
  columns.shape = {left_.in(), right_.in(), rest, right_.out()};
  columns.strides = {right_.in() * row, row, right_.out(), 1};
  return columns.transpose(1, 2);
}

void TtmWeight::build(std::int64_t first, std::int64_t count, const View& w) const {
  Tensor product = Tensor::empty(*backend_, {a_.dim(1), b_.dim(1)}, dtype_);
  for (std::int64_t b = 0; b < count; ++b) {
    backend_->gemm(product.view(), rows_of(a_, first + b), b_.view(), {});
    const View target = digits(w, b);
    backend_->copy(target, product.view().reshape(target.shape));
  }
}

void TtmWeight::project(std::int64_t first, std::int64_t count, const View& dw) {
  const bool fresh = !da_.defined();
  if (fresh) {
    da_ = Tensor::empty_like(a_);
    db_ = Tensor::empty_like(b_);
  }
  Tensor product = Tensor::empty(*backend_, {a_.dim(1), b_.dim(1)}, dtype_);
  for (std::int64_t b = 0; b < count; ++b) {
    const View source = digits(dw, b);
    backend_->copy(product.view().reshape(source.shape), source);
    backend_->gemm(rows_of(da_, first + b), product.view(), b_.view().transpose(0, 1), {});
    backend_->gemm(db_.view(), rows_of(a_, first + b).transpose(0, 1), product.view(),
                   {.beta = fresh && b == 0 ? 0.0 : 1.0});
  }
}

std::vector<Gradient> TtmWeight::gradients() const {
  std::vector<Gradient> result = left_.gradients(da_, Layout::columns_first);
  for (Gradient& gradient : right_.gradients(db_, Layout::bond_first)) {
    result.push_back(std::move(gradient));
  }
  return result;
}

}  // namespace ty
