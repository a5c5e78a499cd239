// The memory of a step by class, for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/backend/allocator.h"

namespace ty {

// Predicted bytes by memory class, with the measured ones (if given) beside them.
std::string format_memory(const MemoryStats& predicted, const MemoryStats* measured);
// {"parameters_bytes": ..., ..., "peak_bytes": ...}
nlohmann::json memory_json(const MemoryStats& memory);

}  // namespace ty
