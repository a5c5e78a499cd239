#include "models/linear/ttm/ttm_rows.h"

#include <vector>

#include "core/ops/embedding.h"
#include "core/ops/matmul.h"
#include "core/ops/shape.h"
#include "models/linear/ttm/ttm_function.h"
#include "models/linear/ttm/ttm_planner.h"

namespace ty {

namespace {

// For each digit of one core, the matrices of a core [R, I, C, R'] that ids choose: [N, R, C R'].
Tensor chosen(const Tensor& core, const std::vector<std::int32_t>& digits, VocabularySlice slice) {
  const std::int64_t left = core.dim(0), in = core.dim(1), out = core.dim(2) * core.dim(3);
  const Tensor rows = reshape(contiguous(permute(core, {1, 0, 2, 3})), {in, left * out});
  const Tensor places = Tensor::from<std::int32_t>(core.backend(), {std::ssize(digits)}, digits);
  return reshape(embedding(rows, places, slice), {-1, left, out});
}

Tensor single_rows(std::span<const Tensor> cores, const TtmLayer& layer,
                   const std::vector<std::int32_t>& ids, VocabularySlice slice) {
  const std::int64_t n = std::ssize(ids);
  std::int64_t step = layer.shape.padded_in();
  Tensor rows;  // [N, C_1 .. C_k, R_k]
  for (std::size_t k = 0; k < cores.size(); ++k) {
    const std::int64_t mode = layer.shape.in[k], right = cores[k].dim(3);
    step /= mode;
    // Of a part of the rows, the first digit is one of the whole.
    const VocabularySlice own = {slice.first / step, slice.whole / step};
    std::vector<std::int32_t> digits;
    for (const std::int32_t id : ids) {
      digits.push_back(static_cast<std::int32_t>(k == 0 ? id / step : id / step % mode));
    }
    const Tensor matrices = chosen(cores[k], digits, k == 0 ? own : VocabularySlice{});
    rows = reshape(k == 0 ? matrices : matmul(rows, matrices), {n, -1, right});
  }
  return narrow(reshape(rows, {n, -1}), 1, 0, layer.out);
}

}  // namespace

bool makes_single_rows(const TtmLayer& layer, std::int64_t rows) {
  const TtmShape& shape = layer.shape;
  std::int64_t numbers = 0;  // of a row's matrices
  for (int k = 0; k < shape.num_cores(); ++k) {
    numbers += shape.core_size(k) / shape.in[static_cast<std::size_t>(k)];
  }
  return rows * numbers < shape.padded_in() * shape.padded_out();
}

Tensor ttm_rows(std::span<const Tensor> cores, const TtmLayer& layer, const Tensor& ids,
                VocabularySlice slice) {
  if (!makes_single_rows(layer, ids.numel())) {
    return embedding(ttm_weight(cores, layer, cheapest_split(layer.shape)), ids, slice);
  }
  Shape shape = ids.shape();
  shape.push_back(layer.out);
  return reshape(contiguous(single_rows(cores, layer, ids.values<std::int32_t>(), slice)), shape);
}

}  // namespace ty
