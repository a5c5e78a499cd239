// The memory of a step by class, for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/backend/allocator.h"

namespace ty {

// Memory by class: bytes predicted, and (if given) measured beside it.
std::string format_memory(const MemoryStats& predicted, const MemoryStats* measured);
// {"parameters_bytes": ..., ..., "peak_bytes": ...}
nlohmann::json memory_json(const MemoryStats& memory);

}  // namespace ty
