// The table of token vectors: read by ids, and as a linear layer by a head that is tied to it.
#pragma once

#include <memory>

#include "models/transformer/block.h"

namespace ty {

// E [V, C], of which a rank holds the rows of its part of the vocabulary. A tied table is the
// linear layer "head.linear" (rules say what it is made of: dense or svd); an untied one is always
// dense.
class TokenTable {
 public:
  virtual ~TokenTable() = default;
  // ids [B, T] int32 -> [B, T, C] or own rows or columns of it.
  virtual Tensor embed(const Tensor& ids) const = 0;
  // As a linear layer h E^T with Split::out: see Linear.
  virtual Tensor enter(const Tensor& h) const = 0;
  virtual Tensor apply(const Tensor& entered) const = 0;
};

struct TokenTableShape {
  std::int64_t vocab = 0;
  std::int64_t width = 0;
  double std = 0.02;  // of the entries at the start
};

// Declares the table under `at` ("embeddings.token").
std::unique_ptr<TokenTable> make_token_table(const BlockContext& at, const TokenTableShape& shape,
                                             bool tied);
// The table under `path` for a head that is tied to it: the one that another block of this rank has
// declared, or a copy if the block with the table is on another stage of a pipeline.
std::unique_ptr<TokenTable> tied_token_table(const BlockContext& at, const std::string& path,
                                             const TokenTableShape& shape);

}  // namespace ty
