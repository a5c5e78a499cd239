// The strict reading of one scalar: plain decimal integers, finite numbers, true and false.
#pragma once

#include <optional>
#include <string>

#include "core/config/leaf.h"
#include "core/config/node.h"
#include "core/config/rule.h"

namespace ty::config {

// The value, or a hint at what may have been meant, to be appended to "want an integer".
struct Parsed {
  std::optional<Scalar> value;
  std::string hint;
};

// Reads a scalar node as `kind`; relative paths are made absolute with the directory of the node's
// source. Checks the choices of the rule, but not its limits.
Parsed parse_scalar(const Node& node, ScalarKind kind, const Rule& rule);

// Whether a number is within the limits of the rule; true for everything else.
bool within(const Scalar& scalar, const Rule& rule);

}  // namespace ty::config
