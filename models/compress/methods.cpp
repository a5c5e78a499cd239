#include <array>
#include <cmath>

#include "core/base/error.h"
#include "models/compress/method.h"

namespace ty {

std::span<const Method> methods() {
  static constexpr std::array kMethods = {
      Method{.name = "svd",
             .takes_modes = false,
             .fits_tables = true,
             .check = check_svd,
             .decompose = decompose_svd},
      Method{.name = "ttm",
             .takes_modes = true,
             .fits_tables = false,
             .check = check_ttm,
             .decompose = decompose_ttm},
  };
  return kMethods;
}

std::int64_t check_share(const LinearShape& size, double share, std::int64_t least) {
  const std::int64_t weights = weights_in_share(share, size);
  if (weights < least) {
    throw ConfigError(
        "a share of {} is less than rank 1 needs, {} of {} weights; want {} or more", share, least,
        size.in * size.out,
        std::ceil(1e4 * static_cast<double>(least) / static_cast<double>(size.in * size.out)) /
            1e4);
  }
  return weights;
}

}  // namespace ty
