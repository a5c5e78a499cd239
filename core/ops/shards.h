// Products that are computed in fixed parts of one dimension.
//
// The bits of a sum depend on the order of its additions, and those of a product on how a library
// cuts a matrix of its size. So that neither depends on how many ranks divide a dimension among
// them, it is cut into shards that are the same for all: every shard is a product of its own, and
// where their results add up, a fixed tree adds them. A rank with several shards adds its own, and
// ranks go on where they stop (tree_all_reduce(), parallel/comm/tree.h).
//
//   rank 0 of 1    (s0 + s1) + (s2 + s3)
//   ranks 0, 1     (s0 + s1) | (s2 + s3)     the + in the middle is between ranks
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/backend/backend.h"
#include "core/base/range.h"

namespace ty {

// Parts of a dimension, one after the other; none: it is not divided.
using Shards = std::vector<Range>;

// The dimensions of a product [rows, inner] [inner, columns].
enum class ProductDim : std::uint8_t { rows, columns, inner };

// c = a b + beta c, one product per shard of the divided dimension. Without shards, one product.
void gemm_in_shards(Backend& backend, const View& c, const View& a, const View& b, double beta,
                    ProductDim divided, const Shards& shards);

// y = beta y + the sum of `count` terms by the tree; make(i, term) writes term i, of y's shape and
// type.
void add_in_tree(Backend& backend, const View& y, double beta, std::int64_t count,
                 const std::function<void(std::int64_t i, const View& term)>& make);

}  // namespace ty
