// Detects that the children of another process have ended without that process noticing.
#pragma once

#include <sys/types.h>

#include <optional>

namespace ty {

// If a process has children and all of them have ended: the exit code of one that failed, by the
// shell's convention (128 + N for signal N), or 0 if none did. A child that failed by itself takes
// precedence over those that were killed because of it. Nothing while one of them is running, or
// where the system does not tell.
std::optional<int> code_of_dead_children(pid_t parent);

}  // namespace ty
