// Two linear layers with an activation between them.
#pragma once

#include <memory>
#include <optional>

#include "models/linear/base/linear.h"
#include "models/transformer/dropout.h"
#include "models/transformer/spec.h"

namespace ty {

class Mlp {
 public:
  // Linear layers: up [C, F] and down [F, C], which starts with `down_std`. Throws ConfigError if
  // the ranks that share the model do not divide F.
  Mlp(const BlockContext& at, const ModelSpec& spec, double down_std);
  // x [.., C] -> [.., C].
  Tensor operator()(const Tensor& x, const ForwardContext& context) const;

 private:
  UnaryOp activation_;
  std::unique_ptr<Linear> up_, down_;
  std::optional<Dropout> inner_dropout_;
};

}  // namespace ty
