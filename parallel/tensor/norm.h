// A norm over columns of which each rank of a tensor group has its own.
#pragma once

#include "core/autograd/graph.h"
#include "parallel/comm/communicator.h"

namespace ty {

// As layer_norm() (core/ops/norm.h), of own columns x [.., C], gamma and beta [C] of all n C, as
// many on every rank. Of each row every rank's mean and deviation are gathered, and in backward two
// sums are added up, in the accumulator type. A collective call, forward and backward.
Tensor layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, double eps,
                  const Group& ranks);

}  // namespace ty
