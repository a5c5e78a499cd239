// A layer that ranks cannot divide, in the place of one that they share: every rank holds all of
// it. With own rows each rank applies it to those, and two all-to-alls stand around it; otherwise
// all ranks compute the same.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "models/linear/base/linear.h"

namespace ty {

// The same layer, built whole under a scope.
using MakeWhole = std::function<std::unique_ptr<Linear>(const Scope& scope)>;

// Why ranks cannot each hold all of a layer: its columns inside are not divided evenly. "" if they
// can.
std::string obstacle_to_whole(const LinearShape& shape, Split split, const Sharing& sharing);

// Of Split::out or Split::in, without such an obstacle.
std::unique_ptr<Linear> make_replicated(const Scope& scope, const LinearShape& shape, Split split,
                                        const Sharing& sharing, const MakeWhole& make_whole);

}  // namespace ty
