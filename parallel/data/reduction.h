// Reduction: in which order gradients of all ranks are added up.
#pragma once

#include <cstdint>

namespace ty {

// fast: sums in whatever order is quickest (repeatable for one number of ranks). canonical: a fixed
// binary tree over the global index of the sequence, the same bits for 1, 2, 4, ... ranks; every
// sequence is a micro-batch of its own.
enum class Reduction : std::uint8_t { fast, canonical };

}  // namespace ty
