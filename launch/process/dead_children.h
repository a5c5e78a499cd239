// Children of another process that have ended without its taking notice.
#pragma once

#include <sys/types.h>

#include <optional>

namespace ty {

// If a process has children and all of them have ended: the exit code of one that failed, as a
// shell counts them (128 + N for signal N), or 0 if none did. One that failed by itself comes
// before those that were killed because of it. Nothing while one of them runs, and where the system
// does not tell.
std::optional<int> code_of_dead_children(pid_t parent);

}  // namespace ty
