#include "core/backend/cuda/device/cuda_backend.h"
#include "core/backend/cuda/device/row_views.h"
#include "core/backend/cuda/kernel/norm.h"

namespace ty::cuda {

namespace {
constexpr std::int64_t kLeastRows = 64;  // of a partial sum; bounds depend on shapes alone
constexpr std::int64_t kMostChunks = 256;
}  // namespace

void CudaBackend::layer_norm(const View& y, const View& mean, const View& rstd, const View& x,
                             const View& gamma, const View& beta, double eps) {
  const std::int64_t rows = x.shape[0], width = x.shape[1];
  if (x.numel() == 0) return;
  kernel::dispatch(x.dtype, "layer_norm", [&](auto t) {
    using T = decltype(t);
    using A = kernel::Accumulator<T>;
    constexpr int kPack = kernel::kPack<T>;
    const bool packs = in_packs(kPack, {&y, &x, &gamma, &beta});
    launch_("layer_norm", launch_.for_warps(rows),
            packs ? kernel::layer_norm<kPack, T, A> : kernel::layer_norm<1, T, A>, rows,
            packs ? width / kPack : width, rows_of<T>(y), mean.as<A>(), rstd.as<A>(),
            rows_of<const T>(x), gamma.as<const T>(), beta.as<const T>(), static_cast<A>(eps));
  });
}

void CudaBackend::layer_norm_grad(const View& dx, const View& dgamma, const View& dbeta,
                                  const View& dy, const View& x, const View& mean, const View& rstd,
                                  const View& gamma) {
  const std::int64_t rows = x.shape[0], width = x.shape[1];
  const std::int64_t chunk = std::max(kLeastRows, (rows + kMostChunks - 1) / kMostChunks);
  const std::int64_t chunks = (rows + chunk - 1) / chunk;
  if (width == 0) return;
  const DType wide = accumulator_of(x.dtype);
  const std::int64_t sums = chunks * width;
  const Scratch partial(
      memory_, std::max<std::int64_t>(1, 2 * sums) * static_cast<std::int64_t>(size_of(wide)));
  kernel::dispatch(x.dtype, "layer_norm_grad", [&](auto t) {
    using T = decltype(t);
    using A = kernel::Accumulator<T>;
    constexpr int kPack = kernel::kPack<T>;
    A* const gains = partial.as<A>();
    A* const biases = gains + sums;
    if (rows > 0) {  // before dx, which may be dy
      launch_("layer_norm_grad", launch_.for_threads(sums), kernel::layer_norm_sums<T, A>, rows,
              width, chunk, chunks, gains, biases, rows_of<const T>(dy), rows_of<const T>(x),
              mean.as<const A>(), rstd.as<const A>());
      const bool packs = in_packs(kPack, {&dx, &dy, &x, &gamma});
      launch_("layer_norm_grad", launch_.for_warps(rows),
              packs ? kernel::layer_norm_grad<kPack, T, A> : kernel::layer_norm_grad<1, T, A>, rows,
              packs ? width / kPack : width, rows_of<T>(dx), rows_of<const T>(dy),
              rows_of<const T>(x), mean.as<const A>(), rstd.as<const A>(), gamma.as<const T>());
    }
    add_chunks(dgamma, gains, wide, chunks, 0.0);
    add_chunks(dbeta, biases, wide, chunks, 0.0);
  });
}

}  // namespace ty::cuda
