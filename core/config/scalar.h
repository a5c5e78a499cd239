// The strict reading of one scalar: plain decimal integers, finite numbers, true and false.
#pragma once

#include <optional>
#include <string>

#include "core/config/leaf.h"
#include "core/config/node.h"
#include "core/config/rule.h"

namespace ty::config {

// The value, or else a hint on what may have been meant, to follow "want an integer".
struct Parsed {
  std::optional<Scalar> value;
  std::string hint;
};

// Reads a scalar node as `kind`; relative paths become absolute by the node's source. Choices of
// the rule are checked, its limits are not.
Parsed parse_scalar(const Node& node, ScalarKind kind, const Rule& rule);

// Whether a number is within the limits of the rule; true for everything else.
bool within(const Scalar& scalar, const Rule& rule);

}  // namespace ty::config
