#include "parallel/tensor/region.h"

#include "core/autograd/replay.h"
#include "core/base/error.h"
#include "core/ops/elementwise.h"

namespace ty {

namespace {

std::int64_t num_rows(const Tensor& x) { return x.numel() / x.dim(-1); }

// The elements of a contiguous tensor in another shape; no copy.
Tensor shaped(const Tensor& x, const Shape& shape) { return x.alias(x.view().reshape(shape)); }

Tensor summed(const Tensor& x, const Group& group, Reduction reduction) {
  const Tensor y = reuse_or_empty(x);
  if (y.view().data != x.view().data) x.backend().copy(y.view(), x.view());
  sum_over(group, x.backend(), y.view(), reduction);
  return y;
}

Tensor gathered(const Tensor& x, const Group& group) {
  const Tensor own = x.contiguous();
  const Tensor all = Tensor::empty(x.backend(), {group.size() * num_rows(x), x.dim(-1)}, x.dtype());
  group.all_gather(all.view(), own.view().as_rows()).wait();
  return all;
}

Tensor scattered(const Tensor& x, const Group& group) {
  const Tensor all = x.contiguous();
  const Tensor own = Tensor::empty(x.backend(), {num_rows(x) / group.size(), x.dim(-1)}, x.dtype());
  group.reduce_scatter(own.view(), all.view().as_rows(), ReduceOp::sum).wait();
  return own;
}

void check_divides(const char* function, const char* what, std::int64_t count, const Group& group) {
  if (count % group.size() == 0) return;
  throw ShapeError("{}: {} {} cannot be divided over {} ranks", function, count, what,
                   group.size());
}

// parts[r] of this rank goes to rank r; the result holds what the ranks sent here, by rank.
// [n, ..] both, contiguous.
Tensor exchanged(const Tensor& parts, const Group& group) {
  const Tensor got = Tensor::empty_like(parts);
  std::vector<Work> works;
  for (int r = 0; r < group.size(); ++r) works.push_back(group.receive(got.view()[r], r));
  for (int r = 0; r < group.size(); ++r) works.push_back(group.send(parts.view()[r], r));
  for (Work& work : works) work.wait();
  return got;
}

// [R, n C] -> [n R, C]
Tensor to_columns(const Tensor& x, const Group& group) {
  const std::int64_t n = group.size(), rows = num_rows(x), columns = x.dim(-1) / n;
  const Tensor own = x.contiguous();
  const View by_rank = own.view().reshape({rows, n, columns}).transpose(0, 1);
  return shaped(exchanged(own.alias(by_rank).contiguous(), group), {n * rows, columns});
}

// Own columns [R, C] of all ranks, side by side: [R, n C].
Tensor all_columns(const Tensor& x, const Group& group) {
  const std::int64_t n = group.size(), rows = num_rows(x), columns = x.dim(-1);
  const Tensor by_rank = shaped(gathered(x, group), {n, rows, columns});
  const Tensor y = by_rank.alias(by_rank.view().transpose(0, 1)).contiguous();
  return shaped(y, {rows, n * columns});
}

// All columns [R, n C] -> own columns of the ranks' sum [R, C].
Tensor scattered_columns(const Tensor& x, const Group& group) {
  const std::int64_t n = group.size(), rows = num_rows(x), columns = x.dim(-1) / n;
  const Tensor all = x.contiguous();
  const View by_rank = all.view().reshape({rows, n, columns}).transpose(0, 1);
  return scattered(shaped(all.alias(by_rank).contiguous(), {n * rows, columns}), group);
}

// [n R, C] -> [R, n C]
Tensor to_rows(const Tensor& x, const Group& group) {
  const std::int64_t n = group.size(), rows = num_rows(x) / n, columns = x.dim(-1);
  const Tensor all = x.contiguous();
  const Tensor got = exchanged(shaped(all, {n, rows, columns}), group);
  return shaped(got.alias(got.view().transpose(0, 1)).contiguous(), {rows, n * columns});
}

}  // namespace

Tensor identity_all_reduce(const Tensor& x, const Group& group, Reduction reduction) {
  if (group.size() == 1) return x;
  return record("identity_all_reduce", x.detach(), {x}, [group, reduction](const Tensor& dy) {
    return Grads{summed(dy, group, reduction)};
  });
}

Tensor all_reduce_identity(Tensor x, const Group& group, Reduction reduction) {
  if (group.size() == 1) return x;
  return record("all_reduce_identity", once([&] { return summed(x, group, reduction); }), {x},
                [](const Tensor& dy) { return Grads{dy}; });
}

Tensor all_gather_reduce_scatter(const Tensor& x, const Group& group) {
  if (group.size() == 1) return x;
  return record("all_gather_reduce_scatter", once([&] { return gathered(x, group); }), {x},
                [group, shape = x.shape()](const Tensor& dy) {
                  const Tensor dx = scattered(dy, group);
                  return Grads{shaped(dx, shape)};
                });
}

Tensor reduce_scatter_all_gather(const Tensor& x, const Group& group) {
  if (group.size() == 1) return x;
  check_divides("reduce_scatter_all_gather", "rows", num_rows(x), group);
  return record("reduce_scatter_all_gather", once([&] { return scattered(x, group); }), {x},
                [group, shape = x.shape()](const Tensor& dy) {
                  const Tensor dx = gathered(dy, group);
                  return Grads{shaped(dx, shape)};
                });
}

namespace {

// The shape of all columns of which x is a part.
Shape with_all_columns(const Tensor& x, const Group& group) {
  Shape shape = x.shape();
  shape[-1] *= group.size();
  return shape;
}

}  // namespace

Tensor all_gather_reduce_scatter_columns(const Tensor& x, const Group& group) {
  if (group.size() == 1) return x;
  const Shape all = with_all_columns(x, group);
  return record("all_gather_reduce_scatter_columns",
                once([&] { return shaped(all_columns(x, group), all); }), {x},
                [group, shape = x.shape()](const Tensor& dy) {
                  return Grads{shaped(scattered_columns(dy, group), shape)};
                });
}

Tensor reduce_scatter_all_gather_columns(const Tensor& x, const Group& group) {
  if (group.size() == 1) return x;
  check_divides("reduce_scatter_all_gather_columns", "columns", x.dim(-1), group);
  Shape own = x.shape();
  own[-1] /= group.size();
  return record("reduce_scatter_all_gather_columns",
                once([&] { return shaped(scattered_columns(x, group), own); }), {x},
                [group, shape = x.shape()](const Tensor& dy) {
                  return Grads{shaped(all_columns(dy, group), shape)};
                });
}

Tensor all_reduce_all_reduce(Tensor x, const Group& group) {
  return identity_all_reduce(all_reduce_identity(std::move(x), group), group);
}

Tensor all_gather_columns(const Tensor& x, const Group& group) {
  if (group.size() == 1) return x;
  const Shape shape = with_all_columns(x, group);
  const Tensor y = once([&] { return shaped(all_columns(x, group), shape); });
  return record("all_gather_columns", y, {x}, [group, own = x.dim(-1)](const Tensor& dy) {
    const View part = dy.view().slice(dy.rank() - 1, group.rank() * own, own);
    return Grads{dy.alias(part).contiguous()};
  });
}

Tensor rows_to_columns(const Tensor& x, const Group& group) {
  if (group.size() == 1) return x;
  check_divides("rows_to_columns", "columns", x.dim(-1), group);
  return record("rows_to_columns", once([&] { return to_columns(x, group); }), {x},
                [group](const Tensor& dy) { return Grads{to_rows(dy, group)}; });
}

Tensor columns_to_rows(const Tensor& x, const Group& group) {
  if (group.size() == 1) return x;
  check_divides("columns_to_rows", "rows", num_rows(x), group);
  return record("columns_to_rows", once([&] { return to_rows(x, group); }), {x},
                [group, shape = x.shape()](const Tensor& dy) {
                  const Tensor dx = to_columns(dy, group);
                  return Grads{shaped(dx, shape)};
                });
}

}  // namespace ty
