// The two linear layers around a block's heads or activation.
#pragma once

#include <memory>
#include <string_view>

#include "models/transformer/block.h"

namespace ty {

struct LayerPair {
  std::unique_ptr<Linear> out, in;
  // Whether ranks have between them what they have outside: all columns, of all or own rows.
  bool lies_outside = false;
};

// A layer's name in its block and its size.
struct NamedShape {
  std::string_view name;
  LinearShape shape;
};

// Of Split::out and Split::in, in the layouts that are best for both together.
LayerPair make_pair(const BlockContext& at, const NamedShape& out, const NamedShape& in,
                    Between between);

}  // namespace ty
