#include "core/backend/cuda/device/cuda_backend.h"
#include "core/backend/cuda/device/ids.h"
#include "core/backend/cuda/device/row_views.h"
#include "core/backend/cuda/kernel/loss.h"

namespace ty::cuda {

namespace {

template <typename A>
kernel::LossTerms<A> terms_of(const CrossEntropyTerms& terms, const kernel::Slice& slice) {
  return {static_cast<A>(terms.label_smoothing), static_cast<A>(terms.z_loss),
          static_cast<A>(terms.label_smoothing / static_cast<double>(slice.whole))};
}

template <typename A>
kernel::Column<A> column_of(const View& x) {
  return {x.as<A>(), x.strides[0]};
}

}  // namespace

void CudaBackend::cross_entropy(const View& loss, const View& lse, const View& logits,
                                const View& targets, VocabularySlice slice,
                                const CrossEntropyTerms& terms) {
  const std::int64_t rows = logits.shape[0], width = logits.shape[1];
  if (rows == 0) return;
  const kernel::Slice part = slice_of(slice, width);
  kernel::dispatch(logits.dtype, "cross_entropy", [&](auto t) {
    using T = decltype(t);
    using A = kernel::Accumulator<T>;
    constexpr int kPack = kernel::kPack<T>;
    const bool packs = in_packs(kPack, {&logits});
    launch_("cross_entropy", launch_.for_blocks(rows),
            packs ? kernel::cross_entropy<kPack, T, A> : kernel::cross_entropy<1, T, A>, rows,
            packs ? width / kPack : width, column_of<A>(loss), column_of<A>(lse),
            rows_of<const T>(logits), ids_of(targets), part, terms_of<A>(terms, part), fault_);
  });
}

void CudaBackend::cross_entropy_grad(const View& dlogits, const View& logits, const View& lse,
                                     const View& targets, const View& dloss, VocabularySlice slice,
                                     const CrossEntropyTerms& terms) {
  const std::int64_t rows = logits.shape[0], width = logits.shape[1];
  if (rows == 0) return;
  const kernel::Slice part = slice_of(slice, width);
  kernel::dispatch(logits.dtype, "cross_entropy_grad", [&](auto t) {
    using T = decltype(t);
    using A = kernel::Accumulator<T>;
    constexpr int kPack = kernel::kPack<T>;
    const bool packs = in_packs(kPack, {&logits, &dlogits});
    launch_("cross_entropy_grad", launch_.for_blocks(rows),
            packs ? kernel::cross_entropy_grad<kPack, T, A> : kernel::cross_entropy_grad<1, T, A>,
            rows, packs ? width / kPack : width, rows_of<T>(dlogits), rows_of<const T>(logits),
            column_of<const A>(lse), ids_of(targets), column_of<const A>(dloss), part,
            terms_of<A>(terms, part), fault_);
  });
}

}  // namespace ty::cuda
