// Runs a program as a child process that is stopped gracefully.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace ty {

struct GuardOptions {
  // Asked once a second; as soon as it says so, the child receives SIGUSR1. Who gives it says
  // himself which signal has ended a child.
  std::function<bool()> wants_end = {};
  std::chrono::milliseconds patience = std::chrono::seconds(10);
};

// Runs a command (looked up on PATH) and returns how it ended.
//
// SIGINT, SIGTERM and SIGHUP to this process are forwarded to the child as SIGUSR1, which mpirun
// passes on to its ranks: they save and exit. A second signal ends the child at once. The child is
// detached from the terminal, so that only this process receives Ctrl-C; if this process is killed,
// the child receives SIGUSR1 too. Its stderr is relayed through Remarks, because mpirun does not
// survive a stderr that nobody reads.
//
// A child that keeps waiting although all its own children have ended, as mpirun may, is killed
// after the patience; the result is then how those children ended.
//
// Throws UsageError if the command cannot be started.
ExitCode run_guarded(const std::vector<std::string>& words, const GuardOptions& options = {});

}  // namespace ty
