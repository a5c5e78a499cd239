#include <algorithm>
#include <numeric>
#include <vector>

#include "core/backend/reference/indexing.h"
#include "core/backend/reference/reference_backend.h"

namespace ty {

using reference::load_any;
using reference::store_any;

void ReferenceBackend::keep_largest(const View& y, const View& x, const View& scores,
                                    std::int64_t kept) {
  const std::int64_t count = x.numel();
  std::vector<double> values(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    values[static_cast<std::size_t>(i)] = load_any(scores, i);
  }
  std::vector<std::int64_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return values[static_cast<std::size_t>(a)] > values[static_cast<std::size_t>(b)];
  });
  std::vector<bool> keeps(values.size());
  for (std::int64_t k = 0; k < std::min(kept, count); ++k) {
    keeps[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])] = true;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    store_any(y, i, keeps[static_cast<std::size_t>(i)] ? load_any(x, i) : 0.0);
  }
}

}  // namespace ty
