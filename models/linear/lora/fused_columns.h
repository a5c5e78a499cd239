// Columns of a fused projection that belong to some of its parts.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor/tensor.h"

namespace ty {

inline constexpr std::array<std::string_view, 3> kFusedParts = {"q", "k", "v"};

// Which parts of q, k and v, as 0, 1, 2, and the heads whose columns there are.
struct FusedParts {
  std::vector<std::int64_t> which;
  std::int64_t heads = 0;

  std::int64_t count() const { return static_cast<std::int64_t>(which.size()); }
};
// By the names q, k and v.
FusedParts fused_parts(const std::vector<std::string>& names, std::int64_t heads);

// Part p of b [n, P C / 3], head by head with the P parts in each: [n, heads, 1, width].
View part_of_narrow(const View& b, const FusedParts& parts, std::int64_t p);
// The same columns of a whole fused matrix [n, C], head by head with q, k and v in each.
View part_of_fused(const View& all, const FusedParts& parts, std::int64_t p);

// b [r, P C / 3], head by head with the P parts in each -> [P r, C], head by head with q, k and v
// in each: rows p r .. (p + 1) r hold part p, and zeros elsewhere. Differentiable.
Tensor spread_over_fused(const Tensor& b, const FusedParts& parts);

}  // namespace ty
