// A sum whose bits do not depend on the number of ranks: a fixed binary tree over a global index.
//
// n terms are halved again and again, [0, n/2) and [n/2, n). When n is divisible by the number of
// ranks and that is a power of two, every rank's terms are a whole subtree, and the upper levels
// are the ranks themselves in pairs; so each addition has the same two operands in every layout.
#pragma once

#include <cstdint>

#include "core/backend/backend.h"
#include "parallel/comm/communicator.h"

namespace ty {

// How many additions become possible once term i of n has arrived, if terms arrive in order and
// partial sums wait on a stack: each adds the stack's top to the newest sum, as (top + newest).
std::int64_t tree_merges_after(std::int64_t i, std::int64_t n);

// x = ((x0 + x1) + (x2 + x3)) + ... over the ranks, the same bits everywhere; x lies in the
// backend's memory. Throws ConfigError unless the group's size is a power of two.
void tree_all_reduce(const Group& group, Backend& backend, const View& x);
// The same for one number.
double tree_all_reduce(const Group& group, double x);

}  // namespace ty
