#include "core/ops/embedding.h"

#include "core/base/error.h"

namespace ty {

Tensor embedding(const Tensor& table, const Tensor& ids, VocabularySlice slice) {
  if (table.rank() != 2 || ids.dtype() != DType::i32 || !ids.view().is_contiguous()) {
    throw ShapeError("embedding: wants a table [V, C] and contiguous int32 ids, got {} and {} {}",
                     table.shape().str(), name_of(ids.dtype()), ids.shape().str());
  }
  Shape shape = ids.shape();
  shape.push_back(table.dim(1));
  const auto flat = [](const View& x) { return contiguous_view(x.data, x.dtype, {x.numel()}); };
  const auto rows = [width = table.dim(1), n = ids.numel()](const View& x) {
    return contiguous_view(x.data, x.dtype, {n, width});
  };
  Tensor y = Tensor::empty(table.backend(), shape, table.dtype());
  table.backend().gather_rows(rows(y.view()), table.view(), flat(ids.view()), slice);
  return record("embedding", y, {table}, [=, ids = saved(ids)](const Tensor& dy) {
    Grads grads;
    grads.emplace_back([=](const View& dtable, double beta) {
      if (beta == 0.0) dy.backend().fill(dtable, 0.0);
      dy.backend().scatter_add_rows(dtable, rows(dy.view()), flat(ids->view()), slice);
    });
    return grads;
  });
}

}  // namespace ty
