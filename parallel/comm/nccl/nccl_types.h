// Our types in NCCL's words.
#pragma once

#include "core/base/dtype.h"
#include "parallel/comm/communicator.h"
#include "parallel/comm/nccl/gpu_libraries.h"

namespace ty {

ncclDataType_t nccl_type_of(DType dtype);
ncclRedOp_t nccl_op_of(ReduceOp op);
// NCCL's max and min of floats lose NaN, which ours keep.
bool keeps_our_bits(ReduceOp op, DType dtype);

// For communicators that are made, and take calls, without blocking the host.
ncclConfig_t nccl_config();

}  // namespace ty
