// What a layer begins with, as a matrix.
#pragma once

#include <cstdint>
#include <string>

#include "core/linalg/matrix.h"
#include "models/linear/base/spec.h"

namespace ty {

// The weight [in, out] that a layer of this spec at this path stands for before it is trained, in
// double; it depends on path and seed, not on what else the model holds.
Matrix drawn_weight(const std::string& path, const LinearShape& shape, const LinearSpec& spec,
                    std::uint64_t seed);

}  // namespace ty
