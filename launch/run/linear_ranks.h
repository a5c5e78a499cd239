// The size of a model by the rank of its factorised layers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/transformer/spec.h"

namespace ty {

// The rules with this rank wherever one makes layers whose size a rank decides (svd, ttm).
std::vector<LinearRule> with_rank(std::vector<LinearRule> rules, std::int64_t rank);

struct SizeByRank {
  std::int64_t rank = 0;        // 0: all layers dense
  std::int64_t parameters = 0;  // of the whole model
  std::string made_of = {};     // its first factorised layer, as "svd rank 6"
};

// The dense model, then it with each of these ranks in its rules. Allocates next to nothing. Throws
// ConfigError where no layer has a rank, and where one cannot have it.
std::vector<SizeByRank> sizes_by_rank(ModelSpec spec, std::span<const std::int64_t> ranks);

}  // namespace ty
