// A call of a communicator, in words: what messages about late ranks and failed calls name.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/dtype.h"

namespace ty {

struct PendingCall {
  const char* call;
  std::int64_t count;  // elements; -1: not applicable
  DType dtype;
  int ranks;      // of the group
  int peer = -1;  // of a message

  // "all_reduce of 10 x fp32 among 3 ranks"
  std::string str() const;
};

}  // namespace ty
