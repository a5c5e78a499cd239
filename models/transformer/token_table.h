// The table of token vectors: read by ids, and as a linear layer by a head that is tied to it.
#pragma once

#include <memory>
#include <optional>

#include "models/transformer/block.h"

namespace ty {

// E [V, C], of which a rank holds the rows of its part of the vocabulary. Rules name it as they
// name linear layers and say what it is made of:
//
//   dense   E
//   svd     E1 [V, r] E2 [r, C]: ids read rows of E1 (Lan et al., ALBERT, arXiv 1909.11942)
//   ttm     a tensor train matrix (ttm_table.h)
//   row_trains   each row a train of its own (row_trains_table.h)
class TokenTable {
 public:
  virtual ~TokenTable() = default;
  // ids [B, T] int32 -> [B, T, C] or own rows or columns of it.
  virtual Tensor embed(const Tensor& ids) const = 0;
  // As a linear layer h E^T with Split::out: see Linear.
  virtual Tensor enter(const Tensor& h) const = 0;
  virtual Tensor apply(const Tensor& entered) const = 0;
  // What a step may prepare of that layer (Linear::begin_step); null: nothing.
  virtual Linear* layer() { return nullptr; }
};

struct TokenTableShape {
  std::int64_t vocab = 0;
  std::int64_t width = 0;
  double std = 0.02;  // of the entries at the start
};

// Declares the table at `at` ("embeddings.token"). Throws ConfigError that names the rule for a
// kind that tables cannot have, or that ranks cannot share.
std::unique_ptr<TokenTable> make_token_table(const BlockContext& at, const TokenTableShape& shape,
                                             WeightReaders readers);
// The table under `path` for a head that is tied to it: the one that another block of this rank has
// declared, or a copy if the block with the table is on another stage of a pipeline.
std::unique_ptr<TokenTable> tied_token_table(const BlockContext& at, const std::string& path,
                                             const TokenTableShape& shape);

// The linear layer whose products a site's weight takes part in: the site itself; of a table that
// the head is tied to, h E^T; none of a table that only ids read.
std::optional<LinearSite> product_of(const LinearSite& site);

}  // namespace ty
