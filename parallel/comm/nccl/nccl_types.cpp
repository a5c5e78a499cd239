#include "parallel/comm/nccl/nccl_types.h"

#include "core/base/error.h"

namespace ty {

ncclDataType_t nccl_type_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return ncclFloat32;
    case DType::bf16:
      return ncclBfloat16;
    case DType::f16:
      return ncclFloat16;
    case DType::f64:
      return ncclFloat64;
    case DType::i32:
      return ncclInt32;
    case DType::i64:
      return ncclInt64;
  }
  throw InternalError("dtype {}", static_cast<int>(dtype));
}

ncclRedOp_t nccl_op_of(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
      return ncclSum;
    case ReduceOp::max:
      return ncclMax;
    case ReduceOp::min:
      return ncclMin;
  }
  throw InternalError("op {}", static_cast<int>(op));
}

bool keeps_our_bits(ReduceOp op, DType dtype) { return op == ReduceOp::sum || !is_floating(dtype); }

ncclConfig_t nccl_config() {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  return config;
}

}  // namespace ty
