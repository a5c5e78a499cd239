#include <algorithm>

#include "core/backend/cuda/device/cuda_backend.h"
#include "core/backend/cuda/device/walks.h"
#include "core/backend/cuda/kernel/reduce.h"

namespace ty::cuda {

namespace {

// Bounds of partial sums: they depend on the number of terms alone.
constexpr std::int64_t kLeastChunk = 64;  // terms of one thread
constexpr std::int64_t kMostChunks = 256;
constexpr std::int64_t kSquares = 8192;  // of one block

std::int64_t divided_up(std::int64_t x, std::int64_t by) { return (x + by - 1) / by; }

// The view's strides with one kind of dimensions only: those that y keeps, or those it has not.
struct Part {
  Shape shape;
  Strides x, y;
};
Part part_of(const View& y, const View& x, bool kept) {
  Part part;
  for (int d = 0; d < x.rank(); ++d) {
    const bool is_kept = y.shape[d] == x.shape[d];
    if (is_kept != kept) continue;
    part.shape.push_back(x.shape[d]);
    part.x.push_back(x.strides[d]);
    part.y.push_back(y.strides[d]);
  }
  return part;
}

}  // namespace

void CudaBackend::add_chunks(const View& y, const void* partial, DType wide, std::int64_t chunks,
                             double beta) {
  const auto outputs = make_walk<1>(y.shape, {y.strides});
  kernel::dispatch(y.dtype, "reduce_sum", [&](auto t) {
    kernel::dispatch_wide(wide, "reduce_sum", [&](auto w) {
      using Y = decltype(t);
      using A = decltype(w);
      launch_("reduce_sum", launch_.for_threads(outputs.items), kernel::sum_chunks<A, Y>, outputs,
              chunks, y.as<Y>(), static_cast<const A*>(partial), beta);
    });
  });
}

void CudaBackend::reduce_sum(const View& y, const View& x, double beta) {
  if (y.numel() == 0) return;
  const Part outputs = part_of(y, x, true), terms = part_of(y, x, false);
  kernel::Terms t;
  t.outputs = make_walk<1>(outputs.shape, {outputs.x});
  t.terms = make_walk<1>(terms.shape, {terms.x}, Order::any);
  const bool in_rows = t.terms.steps[0][t.terms.dims - 1] == 1 && t.terms.items > 1;
  const std::int64_t least = kLeastChunk * (in_rows ? kernel::kWarp : 1);
  t.chunk = std::max(least, divided_up(t.terms.items, kMostChunks));
  t.chunks = divided_up(t.terms.items, t.chunk);
  const DType wide = accumulator_of(x.dtype);
  const Scratch partial(memory_, std::max<std::int64_t>(1, t.chunks) * t.outputs.items *
                                     static_cast<std::int64_t>(size_of(wide)));
  kernel::dispatch(x.dtype, "reduce_sum", [&](auto element) {
    using T = decltype(element);
    using A = kernel::Accumulator<T>;
    const std::int64_t sums = t.outputs.items * t.chunks;
    if (sums == 0) return;
    if (in_rows) {
      launch_("reduce_sum", launch_.for_warps(sums), kernel::sum_rows<A, T>, t, partial.as<A>(),
              x.as<const T>());
    } else {
      launch_("reduce_sum", launch_.for_threads(sums), kernel::sum_columns<A, T>, t,
              partial.as<A>(), x.as<const T>());
    }
  });
  add_chunks(y, partial.data(), wide, t.chunks, beta);
}

void CudaBackend::sum_squares(const View& y, const View& x) {
  const std::int64_t count = x.numel(), chunks = divided_up(count, kSquares);
  const Scratch partial(memory_, std::max<std::int64_t>(1, chunks) * 8);
  kernel::dispatch(x.dtype, "sum_squares", [&](auto t) {
    using T = decltype(t);
    if (chunks == 0) return;
    launch_("sum_squares", launch_.for_blocks(chunks), kernel::sum_squares<T>, count, kSquares,
            partial.as<double>(), x.as<const T>());
  });
  launch_("sum_squares", kernel::Grid{}, kernel::sum_partials, chunks, y.as<double>(),
          partial.as<const double>());
}

}  // namespace ty::cuda
