// CudaBackend::map(): element-wise kernels on views, in packs where those fit.
#pragma once

#include "core/backend/cuda/device/cuda_backend.h"
#include "core/backend/cuda/device/walks.h"
#include "core/backend/cuda/kernel/map.h"

namespace ty::cuda {

namespace mapping {

template <typename T>
const T* data_of(const View* x) {
  return x == nullptr ? nullptr : x->as<const T>();
}
inline Strides strides_of(const View* x, const Shape& shape) {
  if (x != nullptr) return x->strides;
  Strides none = shape;
  for (int d = 0; d < none.rank(); ++d) none[d] = 0;
  return none;
}

template <typename F, typename Y, typename A, typename B>
void launch(const Launcher& launcher, const char* what, const F& f, kernel::Walk<3> walk,
            const View& y, const View* a, const View* b, bool in_packs) {
  constexpr int kPack = kernel::kPack<Y, A, B>;
  const A* const pa = data_of<A>(a);
  const B* const pb = data_of<B>(b);
  if (in_packs && take_packs<3>(walk, kPack, {y.data, pa, pb},
                                {kernel::kSize<Y>, kernel::kSize<A>, kernel::kSize<B>})) {
    launcher(what, launcher.for_threads(walk.items), kernel::map<kPack, F, Y, A, B>, walk, f,
             y.as<Y>(), pa, pb);
  } else {
    launcher(what, launcher.for_threads(walk.items), kernel::map<1, F, Y, A, B>, walk, f, y.as<Y>(),
             pa, pb);
  }
}

}  // namespace mapping

template <typename F, typename Y, typename A, typename B>
void CudaBackend::map(const char* what, const F& f, const View& y, const View* a, const View* b) {
  if (y.numel() == 0) return;
  const auto walk = make_walk<3>(
      y.shape, {y.strides, mapping::strides_of(a, y.shape), mapping::strides_of(b, y.shape)},
      Order::any);
  mapping::launch<F, Y, A, B>(launch_, what, f, walk, y, a, b, true);
}

template <typename F, typename Y, typename A>
void CudaBackend::map_in_order(const char* what, const F& f, const View& y, const View* a,
                               std::int64_t width) {
  if (y.numel() == 0) return;
  const auto walk = make_walk<3>(
      y.shape, {y.strides, mapping::strides_of(a, y.shape), mapping::strides_of(nullptr, y.shape)});
  const bool in_packs = width % kernel::kPack<Y, A> == 0;
  mapping::launch<F, Y, A, kernel::Nothing>(launch_, what, f, walk, y, a, nullptr, in_packs);
}

}  // namespace ty::cuda
