// The kinds of linear layers that job files and config.json can name.
#pragma once

#include <vector>

#include "models/linear/base/spec.h"

namespace ty {

// A default spec of every kind, in the order in which help lists them.
const std::vector<LinearSpec>& linear_kinds();

// Whether a layer is a plain dense matrix.
bool is_dense(const LinearSpec& spec);

// A default spec of the same kind.
LinearSpec default_of_kind(const LinearSpec& spec);

// Adds a kind from outside this library. Must be called before the first job or model is read;
// throws InternalError if the name is taken.
void add_linear_kind(LinearSpec kind);

}  // namespace ty
