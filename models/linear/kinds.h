// The kinds of linear layers that a job file and config.json may name.
#pragma once

#include <vector>

#include "models/linear/base/spec.h"

namespace ty {

// A default spec of every kind, in the order in which help lists them.
const std::vector<LinearSpec>& linear_kinds();

// Whether a layer is a matrix and nothing else.
bool is_dense(const LinearSpec& spec);

// A default spec of the same kind.
LinearSpec default_of_kind(const LinearSpec& spec);

// Adds a kind that is not of this library. Call it before the first job or model is read; throws
// InternalError if the name is taken.
void add_linear_kind(LinearSpec kind);

}  // namespace ty
