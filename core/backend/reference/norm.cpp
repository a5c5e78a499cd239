#include <cmath>
#include <vector>

#include "core/backend/reference/indexing.h"
#include "core/backend/reference/reference_backend.h"

namespace ty {

using reference::load_any;
using reference::store_any;

void ReferenceBackend::layer_norm(const View& y, const View& mean, const View& rstd, const View& x,
                                  const View& gamma, const View& beta, double eps) {
  const std::int64_t width = x.shape[1];
  for (std::int64_t n = 0; n < x.shape[0]; ++n) {
    double sum = 0, squares = 0;
    for (std::int64_t c = 0; c < width; ++c) sum += load_any(x[n], c * x.strides[1]);
    const double mu = sum / static_cast<double>(width);
    for (std::int64_t c = 0; c < width; ++c) {
      const double d = load_any(x[n], c * x.strides[1]) - mu;
      squares += d * d;
    }
    const double r = 1.0 / std::sqrt(squares / static_cast<double>(width) + eps);
    for (std::int64_t c = 0; c < width; ++c) {
      const double unit = (load_any(x[n], c * x.strides[1]) - mu) * r;
      store_any(y[n], c * y.strides[1],
                unit * load_any(gamma, c * gamma.strides[0]) + load_any(beta, c * beta.strides[0]));
    }
    store_any(mean, n, mu);
    store_any(rstd, n, r);
  }
}

void ReferenceBackend::layer_norm_grad(const View& dx, const View& dgamma, const View& dbeta,
                                       const View& dy, const View& x, const View& mean,
                                       const View& rstd, const View& gamma) {
  const std::int64_t width = x.shape[1];
  std::vector<double> gain(static_cast<std::size_t>(width)), bias(gain), scaled(gain), unit(gain);
  for (std::int64_t n = 0; n < x.shape[0]; ++n) {
    const double mu = load_any(mean, n), r = load_any(rstd, n);
    double sum = 0, dot = 0;
    for (std::int64_t c = 0; c < width; ++c) {
      const auto i = static_cast<std::size_t>(c);
      const double d = load_any(dy[n], c * dy.strides[1]);
      unit[i] = (load_any(x[n], c * x.strides[1]) - mu) * r;
      scaled[i] = d * load_any(gamma, c);
      gain[i] += d * unit[i];
      bias[i] += d;
      sum += scaled[i];
      dot += scaled[i] * unit[i];
    }
    sum /= static_cast<double>(width);
    dot /= static_cast<double>(width);
    for (std::int64_t c = 0; c < width; ++c) {
      const auto i = static_cast<std::size_t>(c);
      store_any(dx[n], c * dx.strides[1], r * (scaled[i] - sum - unit[i] * dot));
    }
  }
  for (std::int64_t c = 0; c < width; ++c) {
    const auto i = static_cast<std::size_t>(c);
    store_any(dgamma, c, gain[i]);
    store_any(dbeta, c, bias[i]);
  }
}

}  // namespace ty
