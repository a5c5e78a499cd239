// What must hold of a program before anyone runs it, and what it keeps alive.
#pragma once

#include "parallel/pipeline/action.h"

namespace ty {

// Throws ConfigError that names stage and action unless every stage has exactly one forward and one
// backward of each micro-batch and chunk, in this order, with at most one recomputation between
// them; both ends of each channel agree on the order of its messages; and no stages wait for each
// other.
void validate(const Program& program);

// The most micro-batches (of chunks) of a stage whose forward has begun and whose backward has not
// ended: so many inputs are kept.
int peak_alive(const Program& program, int stage);
// The most of them that are kept in full: not recomputed later, or recomputed already.
int peak_full(const Program& program, int stage);

}  // namespace ty
