// Contractions as matrix products: dimensions that make up rows or columns are merged where they
// lie together; an unfolding that is no matrix in memory is copied into one.
#include <optional>

#include "core/backend/cuda/device/cuda_backend.h"

namespace ty::cuda {

namespace {

// The step with which dimensions [first, end) are walked in row-major order, if there is one.
std::optional<std::int64_t> step_of(const View& x, int first, int end) {
  std::int64_t step = 1, size = 1;
  for (int d = end - 1; d >= first; --d) {
    if (x.shape[d] == 1) continue;
    if (size == 1) {
      step = x.strides[d];
    } else if (x.strides[d] != step * size) {
      return std::nullopt;
    }
    size *= x.shape[d];
  }
  return step;
}

// The unfolding as a view [rows, columns], if its memory is one that a product takes.
std::optional<View> matrix_of(const Unfolding& x) {
  const auto down = step_of(x.view, 0, x.row_dims);
  const auto across = step_of(x.view, x.row_dims, x.view.rank());
  if (!down || !across) return std::nullopt;
  const View matrix{x.view.data, x.view.dtype, {x.rows(), x.columns()}, {*down, *across}};
  return blas::is_matrix(matrix) ? std::optional(matrix) : std::nullopt;
}

}  // namespace

void CudaBackend::contract(const Unfolding& c, const Unfolding& a, const Unfolding& b,
                           double beta) {
  std::unique_ptr<ScratchView> a_memory, b_memory;
  const auto operand = [&](const Unfolding& x, std::unique_ptr<ScratchView>& memory) {
    if (const auto matrix = matrix_of(x)) return *matrix;
    memory = std::make_unique<ScratchView>(memory_, x.view.dtype, x.view.shape);
    copy(*memory, x.view);
    return memory->view().reshape({x.rows(), x.columns()});
  };
  const View left = operand(a, a_memory), right = operand(b, b_memory);
  if (const auto result = matrix_of(c)) return multiply(*result, left, right, {1.0, beta});
  const ScratchView whole(memory_, accumulator_of(left.dtype), c.view.shape);
  multiply(whole.view().reshape({c.rows(), c.columns()}), left, right, {});
  axpby(c.view, 1.0, whole, beta);
}

}  // namespace ty::cuda
