// What a linear map of any kind costs to apply.
#pragma once

#include "models/linear/spec.h"

namespace ty {

// Operations (a multiply-add is two) of a forward pass over so many tokens, bias excluded; for a
// tensor train, by the plan that would run.
double forward_flops(const LinearSpec& spec, const LinearShape& shape, std::int64_t tokens);

}  // namespace ty
