#include <algorithm>

#include "core/backend/cuda/device/cuda_backend.h"
#include "core/backend/cuda/device/ids.h"
#include "core/backend/cuda/device/row_views.h"
#include "core/backend/cuda/kernel/embedding.h"

namespace ty::cuda {

namespace {
constexpr std::int64_t kSorted = 32768;  // ids sorted at once: its square is compared
}

void CudaBackend::gather_rows(const View& y, const View& table, const View& ids,
                              VocabularySlice slice) {
  if (y.numel() == 0) return;
  if (y.dtype != table.dtype) throw_not_floating(table.dtype, "gather_rows (of another type)");
  const auto launch = [&](auto w, std::int64_t elements) {
    using W = decltype(w);
    const std::int64_t count = ids.shape[0], words = y.shape[1] / elements;
    const kernel::Rows<W> to{y.as<W>(), y.strides[0] / elements};
    const kernel::Rows<const W> from{table.as<const W>(), table.strides[0] / elements};
    launch_("gather_rows", launch_.for_threads(count * words), kernel::gather_rows<W>, count, words,
            to, from, ids_of(ids), slice_of(slice, table.shape[0]), fault_);
  };
  check_rows(y);
  check_rows(table);
  const auto pack = static_cast<int>(kernel::kPackBytes) / static_cast<int>(size_of(y.dtype));
  if (in_packs(pack, {&y, &table})) {
    launch(kernel::Sixteen{}, pack);
  } else {
    kernel::dispatch_word(y.dtype, [&](auto w) { launch(w, 1); });
  }
}

void CudaBackend::scatter_add_rows(const View& table, const View& dy, const View& ids,
                                   VocabularySlice slice) {
  const std::int64_t total = ids.shape[0], width = table.shape[1];
  if (total == 0 || width == 0) return;
  const kernel::Slice part = slice_of(slice, table.shape[0]);
  const std::int64_t most = std::min(kSorted, total);
  const Scratch sorted(memory_, 8 * most);
  auto* const order = sorted.as<std::int32_t>();
  auto* const rows = sorted.as<std::int32_t>(most);
  const auto absent = static_cast<std::int32_t>(part.size);
  for (std::int64_t first = 0; first < total; first += kSorted) {
    const std::int64_t count = std::min(kSorted, total - first);
    launch_("scatter_add_rows", launch_.for_threads(count), kernel::sort_ids, first, count,
            ids_of(ids), part, order, rows, fault_);
    kernel::Grid grid = launch_.for_blocks(count);
    grid.y = launch_.for_threads(width).x;
    kernel::dispatch(table.dtype, "scatter_add_rows", [&](auto to) {
      kernel::dispatch(dy.dtype, "scatter_add_rows", [&](auto from) {
        using Table = decltype(to);
        using T = decltype(from);
        launch_("scatter_add_rows", grid, kernel::add_sorted<Table, T>, first, count, width, absent,
                rows_of<Table>(table), rows_of<const T>(dy), order, rows);
      });
    });
  }
}

}  // namespace ty::cuda
