#include <bit>

#include "core/backend/cuda/device/cuda_backend.h"
#include "core/backend/cuda/kernel/select.h"

namespace ty::cuda {

namespace {

constexpr std::int64_t kCounted = 8192;  // elements of one block

}  // namespace

void CudaBackend::keep_largest(const View& y, const View& x, const View& scores,
                               std::int64_t kept) {
  const std::int64_t count = x.numel();
  if (kept <= 0) return fill(y, 0.0);
  if (kept >= count) return copy(y, x);
  const std::int64_t chunks = (count + kCounted - 1) / kCounted;
  const Scratch bound(memory_, sizeof(kernel::Bound));
  const Scratch counts(memory_, chunks * static_cast<std::int64_t>(sizeof(std::int64_t)));
  auto* const own = bound.as<kernel::Bound>();
  auto* const partial = counts.as<std::int64_t>();
  launch_("keep_largest", kernel::Grid{}, kernel::begin_bound, own, kept);
  kernel::dispatch(scores.dtype, "keep_largest", [&](auto s) {
    using S = decltype(s);
    const S* const from = scores.as<const S>();
    for (int bit = 8 * sizeof(kernel::Accumulator<S>) - 1; bit >= 0; --bit) {
      launch_("keep_largest", launch_.for_blocks(chunks), kernel::count_orders<S>, count, kCounted,
              bit, own, partial, from);
      launch_("keep_largest", kernel::Grid{}, kernel::settle_order, chunks, bit, own, partial);
    }
    const auto index_bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(count - 1)));
    for (int bit = index_bits - 1; bit >= 0; --bit) {
      launch_("keep_largest", launch_.for_blocks(chunks), kernel::count_indices<S>, count, kCounted,
              bit, own, partial, from);
      launch_("keep_largest", kernel::Grid{}, kernel::settle_index, chunks, bit, own, partial);
    }
    kernel::dispatch(x.dtype, "keep_largest", [&](auto t) {
      using T = decltype(t);
      launch_("keep_largest", launch_.for_threads(count), kernel::keep_from<T, S>, count, own,
              y.as<T>(), x.as<const T>(), from);
    });
  });
}

}  // namespace ty::cuda
