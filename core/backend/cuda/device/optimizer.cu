#include "core/backend/cuda/device/cuda_backend.h"
#include "core/backend/cuda/device/row_views.h"
#include "core/backend/cuda/kernel/optimizer.h"

namespace ty::cuda {

namespace {

kernel::Low low_of(const View& low, std::int64_t first) {
  if (low.data == nullptr) return {};
  return {low.as<std::uint16_t>() + first, low.dtype == DType::bf16};
}

template <typename T>
T* at(const View& x, std::int64_t first) {
  return x.data == nullptr ? nullptr : x.as<T>() + first;
}

// Calls step(pack, first, packs) for the part that can be done in packs, then for the rest.
template <int V, typename Step>
void in_two_parts(std::int64_t count, std::initializer_list<const View*> operands, Step&& step) {
  bool aligned = true;
  for (const View* x : operands) {
    const std::uintptr_t bytes = V * size_of(x->dtype);
    aligned = aligned && reinterpret_cast<std::uintptr_t>(x->data) % bytes == 0;
  }
  const std::int64_t packs = aligned ? count / V : 0;
  if (packs > 0) step(std::integral_constant<int, V>{}, std::int64_t{0}, packs);
  if (packs * V < count) step(std::integral_constant<int, 1>{}, packs * V, count - packs * V);
}

// A 16-bit copy is written by the step, any other after it.
bool is_narrow(const View& low) { return low.data != nullptr && size_of(low.dtype) == 2; }

}  // namespace

void CudaBackend::clip_factor(const View& factor, const View& squares, const View& loss,
                              double limit, double scale) {
  launch_("clip_factor", kernel::Grid{}, kernel::clip_factor, factor.as<double>(),
          squares.as<const double>(), loss.as<const double>(), limit, scale);
}

void CudaBackend::limit_norm(const View& y, const View& squares, double limit) {
  kernel::dispatch_wide(y.dtype, "limit_norm", [&](auto t) {
    using T = decltype(t);
    in_two_parts<kernel::kPack<T, T>>(y.numel(), {&y},
                                      [&](auto pack, std::int64_t first, std::int64_t packs) {
                                        launch_("limit_norm", launch_.for_threads(packs),
                                                kernel::limit_norm<decltype(pack)::value, T>, packs,
                                                at<T>(y, first), squares.as<const double>(), limit);
                                      });
  });
}

void CudaBackend::divide_by_norms(const View& y, const View& squares, double root, double offset) {
  kernel::dispatch_wide(y.dtype, "divide_by_norms", [&](auto t) {
    using T = decltype(t);
    in_two_parts<kernel::kPack<T, T>>(
        y.numel(), {&y}, [&](auto pack, std::int64_t first, std::int64_t packs) {
          launch_("divide_by_norms", launch_.for_threads(packs),
                  kernel::divide_by_norms<decltype(pack)::value, T>, packs, at<T>(y, first),
                  squares.as<const double>(), squares.numel(), root, offset);
        });
  });
}

void CudaBackend::adamw(const View& w, const View& m, const View& v, const View& low,
                        const View& gradient, const AdamW& options) {
  const formulas::AdamWStep constants(options);
  const View narrow = is_narrow(low) ? low : View{};
  kernel::dispatch_wide(w.dtype, "adamw", [&](auto weight) {
    kernel::dispatch(gradient.dtype, "adamw", [&](auto g) {
      using W = decltype(weight);
      using G = decltype(g);
      constexpr int kPack = kernel::kPack<W, G>;
      in_two_parts<kPack>(w.numel(), {&w, &m, &v, &narrow, &gradient},
                          [&](auto pack, std::int64_t first, std::int64_t packs) {
                            launch_("adamw", launch_.for_threads(packs),
                                    kernel::adamw<decltype(pack)::value, W, G>, packs,
                                    at<W>(w, first), at<W>(m, first), at<W>(v, first),
                                    low_of(narrow, first), at<const G>(gradient, first), options,
                                    constants, kernel::DeviceFactor{factor_.as<const double>()});
                          });
    });
  });
  if (low.data != nullptr && narrow.data == nullptr) copy(low, w);
}

void CudaBackend::sgd(const View& w, const View& v, const View& low, const View& gradient,
                      const Sgd& options) {
  const View narrow = is_narrow(low) ? low : View{};
  kernel::dispatch_wide(w.dtype, "sgd", [&](auto weight) {
    kernel::dispatch(gradient.dtype, "sgd", [&](auto g) {
      using W = decltype(weight);
      using G = decltype(g);
      constexpr int kPack = kernel::kPack<W, G>;
      in_two_parts<kPack>(w.numel(), {&w, &v, &narrow, &gradient},
                          [&](auto pack, std::int64_t first, std::int64_t packs) {
                            launch_("sgd", launch_.for_threads(packs),
                                    kernel::sgd<decltype(pack)::value, W, G>, packs,
                                    at<W>(w, first), at<W>(v, first), low_of(narrow, first),
                                    at<const G>(gradient, first), options,
                                    kernel::DeviceFactor{factor_.as<const double>()});
                          });
    });
  });
  if (low.data != nullptr && narrow.data == nullptr) copy(low, w);
}

}  // namespace ty::cuda
