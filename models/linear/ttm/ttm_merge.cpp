#include "models/linear/ttm/ttm_merge.h"

#include <utility>

#include "core/base/error.h"

namespace ty {

namespace {

// [R, I, J, R'] of one core as a matrix with the given number of rows.
View matrix(const Tensor& x, std::int64_t rows) {
  return x.view().reshape({rows, x.numel() / rows});
}

// Products of ever more cores from the left: entry k merges cores 0 .. k.
std::vector<Tensor> prefixes(const std::vector<Tensor>& cores, std::size_t count) {
  std::vector<Tensor> result;
  for (std::size_t k = 0; k < count; ++k) {
    if (k == 0) {
      result.push_back(cores[0]);
      continue;
    }
    const Tensor& before = result.back();
    const std::int64_t bond = cores[k].dim(0);
    Backend& backend = before.backend();
    Tensor merged =
        Tensor::empty(backend, {before.numel() / bond, cores[k].numel() / bond}, before.dtype());
    backend.gemm(merged.view(), matrix(before, before.numel() / bond), matrix(cores[k], bond), {});
    result.push_back(std::move(merged));
  }
  return result;
}

}  // namespace

MergedCores::MergedCores(std::span<const Tensor> cores, Backend& backend, DType dtype)
    : backend_(&backend), dtype_(dtype) {
  for (const Tensor& core : cores) {
    TY_CHECK(core.rank() == 4 && (cores_.empty() || cores_.back().dim(3) == core.dim(0)),
             "core {} does not continue its neighbour", core.shape().str());
    cores_.push_back(core.dtype() == dtype ? core.detach() : core.to(dtype));
    in_ *= core.dim(1);
    out_ *= core.dim(2);
  }
  if (cores_.empty()) return;
  left_ = cores_.front().dim(0);
  right_ = cores_.back().dim(3);
}

// The merged core with each digit as a dimension: [R_left, I_1, J_1, .., I_k, J_k, R_right].
View MergedCores::digits(const View& merged) const {
  Shape shape = {left_};
  for (const Tensor& core : cores_) {
    shape.push_back(core.dim(1));
    shape.push_back(core.dim(2));
  }
  shape.push_back(right_);
  return merged.reshape(shape);
}

// Which digit of digits() stands where in a layout.
std::vector<int> MergedCores::order(const Layout& layout) const {
  const int k = static_cast<int>(cores_.size());
  std::vector<int> result;
  for (const Part part : layout) {
    if (part == Part::left) result.push_back(0);
    if (part == Part::right) result.push_back(2 * k + 1);
    for (int i = 0; i < k; ++i) {
      if (part == Part::in) result.push_back(1 + 2 * i);
      if (part == Part::out) result.push_back(2 + 2 * i);
    }
  }
  return result;
}

Tensor MergedCores::merged() const {
  if (cores_.size() == 1) return arranged({Part::left, Part::in, Part::out, Part::right});
  if (cores_.empty()) return Tensor::full(*backend_, {1}, dtype_, 1.0);
  return prefixes(cores_, cores_.size()).back();
}

Tensor MergedCores::arranged(const Layout& layout) const {
  if (cores_.empty()) return merged();
  const Tensor whole = prefixes(cores_, cores_.size()).back();
  const View source = digits(whole.view()).permute(order(layout));
  Tensor result = Tensor::empty(*backend_, source.shape, dtype_);
  backend_->copy(result.view(), source);
  return result;
}

std::vector<Gradient> MergedCores::gradients(const Tensor& d_arranged, const Layout& layout) const {
  if (cores_.empty()) return {};
  const Tensor d_merged = Tensor::empty(*backend_, {d_arranged.numel()}, dtype_);
  const View target = digits(d_merged.view()).permute(order(layout));
  backend_->copy(target, d_arranged.view().reshape(target.shape));
  return gradients(d_merged);
}

std::vector<Gradient> MergedCores::gradients(const Tensor& d_whole) const {
  std::vector<Gradient> result;
  if (cores_.empty()) return result;
  Tensor d_merged = d_whole;
  // With M_k = M_{k-1} G_k: dG_k = M_{k-1}^T dM_k and dM_{k-1} = dM_k G_k^T.
  const std::vector<Tensor> merged = prefixes(cores_, cores_.size() - 1);
  result.resize(cores_.size());
  for (std::size_t k = cores_.size() - 1; k > 0; --k) {
    const Tensor& before = merged[k - 1];
    const std::int64_t bond = cores_[k].dim(0);
    const std::int64_t rows = before.numel() / bond;
    result[k] = Gradient([before, d_merged, bond, rows](const View& into, double beta) {
      before.backend().gemm(into.reshape({bond, into.numel() / bond}),
                            matrix(before, rows).transpose(0, 1), matrix(d_merged, rows),
                            {.beta = beta});
    });
    if (k == 1) {
      result[0] = Gradient([next = cores_[1], d_merged, bond, rows](const View& into, double beta) {
        next.backend().gemm(into.reshape({rows, bond}), matrix(d_merged, rows),
                            matrix(next, bond).transpose(0, 1), {.beta = beta});
      });
    } else {
      Tensor d_before = Tensor::empty(*backend_, {rows, bond}, dtype_);
      backend_->gemm(d_before.view(), matrix(d_merged, rows),
                     matrix(cores_[k], bond).transpose(0, 1), {});
      d_merged = std::move(d_before);
    }
  }
  if (cores_.size() == 1) {
    result[0] = Gradient([d_merged](const View& into, double beta) {
      d_merged.backend().axpby(into, 1.0, d_merged.view().reshape(into.shape), beta);
    });
  }
  return result;
}

}  // namespace ty
