// The table of token vectors: read by ids, and as a linear layer by a head that is tied to it.
#pragma once

#include <memory>

#include "models/transformer/block.h"

namespace ty {

// E [V, C]. A tied table is the linear layer "head.linear" (rules say what it is made of: dense or
// svd); an untied one is always dense.
class TokenTable {
 public:
  virtual ~TokenTable() = default;
  // ids [..] int32 -> [.., C].
  virtual Tensor embed(const Tensor& ids) const = 0;
  // h [.., C] E^T -> [.., V].
  virtual Tensor logits(const Tensor& h) const = 0;
};

struct TokenTableShape {
  std::int64_t vocab = 0;
  std::int64_t width = 0;
  double std = 0.02;  // of the entries at the start
};

// Declares the table under `at` ("embeddings.token").
std::unique_ptr<TokenTable> make_token_table(const BlockContext& at, const TokenTableShape& shape,
                                             bool tied);
// The table that another block of this rank declared under `path`, for a tied head. Throws
// InternalError if there is none.
std::unique_ptr<TokenTable> find_token_table(ParameterStore& store, const std::string& path);

}  // namespace ty
