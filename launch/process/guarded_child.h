// A program that runs as a child and is asked, not told, to stop.
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"

namespace ty {

// Runs a command (found on PATH) and returns how it ended.
//
// SIGINT, SIGTERM and SIGHUP to this process become SIGUSR1 to the child, which mpirun hands to its
// ranks: they save and end. A second one ends the child at once. The child is out of the terminal's
// reach, so that Ctrl-C comes here only; if this process is killed it gets SIGUSR1 too. What it
// says on stderr is passed on as Remarks: mpirun does not survive that nobody reads it.
//
// A child that waits for ever for children of its own that have all ended, as mpirun may, is killed
// after ten seconds; what counts then is how they ended.
//
// Throws UsageError if the command cannot be started.
ExitCode run_guarded(const std::vector<std::string>& words);

}  // namespace ty
