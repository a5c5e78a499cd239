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

std::int64_t weights_in_share(const LinearShape& size, double share, std::int64_t least) {
  const double all = static_cast<double>(size.in) * static_cast<double>(size.out);
  // 0.29 of 100 is 28.999999999999996 in binary.
  const auto weights = static_cast<std::int64_t>(std::floor(share * all * (1.0 + 1e-12)));
  if (weights < least) {
    throw ConfigError("a share of {} is less than rank 1 needs, {} of {} weights; want {} or more",
                      share, least, size.in * size.out,
                      std::ceil(1e4 * static_cast<double>(least) / all) / 1e4);
  }
  return weights;
}

}  // namespace ty
